import type { Clock, Logger, Timers } from "@twentysix/platform";
import { contractChainsOf, effectiveSwitches, type NetworkDefinition } from "@twentysix/protocol";
import {
  type BlobEngine,
  ContentStore,
  type DatabaseLocation,
  STATE_ROOT_ALGORITHM,
} from "@twentysix/storage";
import { Registry } from "prom-client";
import type { ApiServices } from "./api/services.ts";
import type { ApiSettings } from "./api/settings.ts";
import { createDownloads } from "./content/downloads.ts";
import { FileLifecycle } from "./content/file-lifecycle.ts";
import { createGateway } from "./content/gateway.ts";
import { blobsFor } from "./content/read-blob.ts";
import { checkUploadFunds } from "./content/upload-funds.ts";
import { createUploads } from "./content/uploads.ts";
import { dataPaths } from "./data-paths.ts";
import { createLedgerAnswers } from "./ledger/ledger-answers.ts";
import { aloneWith } from "./peers/custody/custody.ts";
import { addPeerMetrics } from "./peers/peer-metrics.ts";
import type { PeerSettings } from "./peers/peer-settings.ts";
import { Peers } from "./peers/peers.ts";
import { Pipeline } from "./pipeline/pipeline.ts";
import { stateRulesOf } from "./pipeline/state-rules.ts";
import { submissionRules } from "./pipeline/submission-rules.ts";
import { openKeyedReads } from "./reader/keyed-reads.ts";
import { createReaderLists } from "./reader/reader-lists.ts";
import { ReaderThread } from "./reader/reader-thread.ts";
import { startBalanceAudit } from "./services/balance-audit.ts";
import { Budgets } from "./services/budgets.ts";
import { createEconomy } from "./services/economy.ts";
import { addEconomyMetrics } from "./services/economy-metrics.ts";
import { addFileMetrics } from "./services/file-metrics.ts";
import { GraceRoom } from "./services/grace-room.ts";
import { createLiveFeed } from "./services/live-feed.ts";
import { NodeFigures } from "./services/node-figures.ts";
import { addPipelineMetrics } from "./services/pipeline-metrics.ts";
import { createRecalculation } from "./services/recalculation.ts";
import { createSubmit } from "./services/submit.ts";
import { blobsOn, machineSurroundings, type Surroundings } from "./surroundings.ts";

export interface NodePartsOptions {
  readonly dataDir: string;
  /** A PostgreSQL server and the database on it, instead of the database in the data folder. */
  readonly database?: DatabaseLocation | null;
  readonly definition: NetworkDefinition;
  readonly apiSettings: ApiSettings;
  /** What keeps the files; plain files in the data folder by default. */
  readonly engine?: BlobEngine;
  /** How it takes part in its network; by default it keeps to itself. */
  readonly peers?: PeerSettings;
  readonly maxDiskBytes: number | null;
  readonly maxMemoryBytes: number;
  /** Memory of the process as it is now, in bytes. */
  readonly memoryUsage: () => number;
  readonly version: string;
  /** The address that this node signs with. */
  readonly address: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly logPretty: boolean;
  /** What it runs on; this machine by default. */
  readonly surroundings?: Surroundings;
  /** Gives the start up, which may take long where another process writes to the database. */
  readonly signal?: AbortSignal;
}

/** The parts of a node behind its API. */
export interface NodeParts {
  readonly contents: ContentStore;
  readonly lifecycle: FileLifecycle;
  readonly reader: ReaderThread;
  readonly figures: NodeFigures;
  readonly peers: Peers;
  readonly pipeline: Pipeline;
  readonly services: ApiServices;
  /** Joins the network, where the options name one. @param apiUrl where this node's API answers */
  startPeers(apiUrl: string): Promise<void>;
}

const MIB = 1024 * 1024;
/** Copies on their way at once; what they hold in memory stays a fraction of the budget. */
const MAX_IN_FLIGHT = 8_192;
/** New work ends before the disk does: the log, its checkpoint and what is queued still need room. */
const MIN_FREE_DISK_BYTES = 64 * MIB;

/** Starts them in the order of their dependencies; `stack` ends them in reverse. */
export async function startNodeParts(
  options: NodePartsOptions,
  stack: AsyncDisposableStack,
): Promise<NodeParts> {
  const { definition, clock, timers, log, surroundings = machineSurroundings() } = options;
  const { disk, random, threads } = surroundings;
  const paths = dataPaths(options.dataDir);
  const database = options.database ?? paths.database;
  await disk.makeFolder(paths.folder);
  // What a process that died was receiving; nobody was told that it is here.
  await disk.removeFolder(paths.staging);

  const contents = stack.use(
    await ContentStore.open({
      folder: paths.contents,
      ...(disk.fileSystem === undefined ? {} : { fileSystem: disk.fileSystem }),
      ...(options.engine === undefined ? {} : { engine: options.engine }),
      timers,
      minFreeBytes: MIN_FREE_DISK_BYTES,
      ...(options.maxDiskBytes === null ? {} : { maxBytes: options.maxDiskBytes }),
    }),
  );
  const rules = stateRulesOf(definition, options.apiSettings.gracePeriodMs);
  const pipeline = await Pipeline.start({
    databasePath: database,
    blobs: blobsOn(disk, contents, blobsFor(contents, paths)),
    writerCacheBytes: 32 * MIB,
    switches: definition.switches,
    limits: definition.limits,
    contractChains: contractChainsOf(definition),
    rules,
    priceDefaults: definition,
    collectsFiles: true,
    isComplete: options.peers === undefined,
    threads,
    checkpointsApart: surroundings.checkpointsApart,
    verifierCount: 1,
    verifierQuietMs: surroundings.verifierQuietMs,
    maxInFlight: MAX_IN_FLIGHT,
    clock,
    timers,
    log: log.child({ part: "pipeline" }),
    logPretty: options.logPretty,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  stack.defer(() => pipeline.close());

  const ledgerSettings = { rules: submissionRules(rules), definition };
  const { reads, fileRecords } = stack.use(openKeyedReads({ database, ledger: ledgerSettings, timers, log }));
  const lifecycle = new FileLifecycle({
    contents,
    pipeline,
    ledger: fileRecords,
    gracePeriodMs: options.apiSettings.gracePeriodMs,
    clock,
    timers,
    random,
    log: log.child({ part: "files" }),
  });
  stack.defer(() => lifecycle.close());
  const readerLog = log.child({ part: "reader" });
  const reader = stack.use(
    new ReaderThread({
      databasePath: database,
      timers,
      threads,
      ledger: ledgerSettings,
      quietMs: surroundings.readerQuietMs,
      onThreadLost: (reason) => readerLog.error("The reader thread was lost", { error: reason }),
    }),
  );

  const registry = new Registry();
  const live = createLiveFeed({ commits: pipeline, reads, timers, log });
  stack.defer(() => live.close());
  const budgets = new Budgets({
    maxDiskBytes: options.maxDiskBytes,
    minFreeDiskBytes: MIN_FREE_DISK_BYTES,
    maxMemoryBytes: options.maxMemoryBytes,
    diskUsage: () => disk.usedBytes(paths.folder),
    contentBytes: () => contents.usage.usedBytes,
    freeDiskBytes: () => disk.freeBytes(paths.folder),
    memoryUsage: options.memoryUsage,
    timers,
    log,
  });
  stack.defer(() => budgets.close());
  const graceBytes = async (): Promise<number> => (await reads.totals()).graceBytes;
  const graceRoom = new GraceRoom({
    maxBytes: options.apiSettings.uploads.maxGracePeriodBytes,
    usedBytes: graceBytes,
    isHeld: async (fileHash) => (await reads.file(fileHash)) !== null,
  });
  const peers = new Peers(options.peers !== undefined);
  const figures = new NodeFigures({ pipeline, reads, budgets, blobServer: contents.server, peers });
  addPipelineMetrics(registry, { pipeline, reader, budgets, figures, graceBytes, clock });
  addFileMetrics(registry, lifecycle);
  addPeerMetrics(registry, peers);

  const ledger = createLedgerAnswers(reader);
  const economy = createEconomy({
    definition,
    rules,
    reads,
    ledger,
    recalculation: createRecalculation({ pipeline, clock, log: log.child({ part: "prices" }) }),
  });
  addEconomyMetrics(registry, { economy, pipeline });
  const lists = createReaderLists(reader, options.apiSettings.lists);
  const audit = startBalanceAudit({ onCommit: live.onCommit, reads, lists, registry, timers, log });
  stack.defer(() => audit.close());
  const switches = effectiveSwitches(definition.switches);
  const uploads = createUploads({
    contents,
    pipeline,
    budgets,
    graceRoom,
    // What is missing may be missing here alone: as the writer has it, see `Pipeline.knowsAll`.
    checkFunds: async (store, sizeBytes) =>
      peers.sync().state === "ready" ? checkUploadFunds(ledger, switches, store, sizeBytes) : { ok: true },
    holds: lifecycle.holds,
    stagingFolder: paths.staging,
    files: disk.files,
  });
  const services: ApiServices = {
    submit: createSubmit({
      pipeline,
      items: live.items,
      budgets,
      timers,
      publish: (text) => peers.publish(text),
    }),
    reads,
    lists,
    ledger,
    live,
    uploads,
    downloads: createDownloads({
      contents,
      holds: lifecycle.holds,
      isElsewhere: async (fileHash) => (await fileRecords.keptFile(fileHash))?.damage === "elsewhere",
      fetch: (fileHash, signal) => peers.fetch(fileHash, signal),
    }),
    gateway: createGateway(contents, lifecycle.holds),
    economy,
    chains: () => figures.chains(),
    custodyOf: async (fileHash) =>
      (await peers.custodyOf(fileHash)) ?? aloneWith(await fileRecords.keptFile(fileHash), definition),
    node: {
      version: options.version,
      network: definition.name,
      address: options.address,
      messageTopic: definition.topics.messages,
      multiAddresses: () => peers.multiAddresses(),
      sync: () => peers.sync(),
    },
    status: () => figures.status(),
    health: () => figures.health(),
    checkpoints: () => peers.checkpoints(),
    stateRoot: async () => ({ ...(await pipeline.stateRoot()), algorithm: STATE_ROOT_ALGORITHM }),
    registry,
    log: log.child({ part: "api" }),
    clock,
    timers,
  };
  return {
    contents,
    lifecycle,
    reader,
    figures,
    peers,
    pipeline,
    services,
    startPeers: async (apiUrl) => {
      if (options.peers === undefined) return;
      const { openNetwork } = surroundings;
      await peers.start(
        {
          settings: options.peers,
          definition,
          bookPath: paths.peerBook,
          checkpointsPath: paths.checkpoints,
          catchUpMarkPath: paths.catchUpMark,
          lastReadyPath: paths.lastReady,
          pipeline,
          contents,
          holds: lifecycle.holds,
          reads,
          reader,
          hasRoom: () => budgets.hasRoom,
          records: fileRecords,
          uploads,
          gracePeriodMs: options.apiSettings.gracePeriodMs,
          piecesFolder: paths.pieces,
          stagingFolder: paths.staging,
          disk: { usedBytes: () => budgets.diskBytes, maxBytes: options.maxDiskBytes },
          eraseDue: () => lifecycle.eraseDue(),
          files: disk.files,
          ...(openNetwork === undefined ? {} : { openNetwork }),
          reserveDisk: () => budgets.reserveDisk(),
          version: options.version,
          clock,
          timers,
          random,
          log: log.child({ part: "peers" }),
        },
        apiUrl,
      );
    },
  };
}
