import { rm } from "node:fs/promises";
import {
  type Clock,
  createEventLoopMonitor,
  createSystemRandom,
  type Logger,
  type Timers,
} from "@twentysix/platform";
import { effectiveSwitches, type NetworkDefinition } from "@twentysix/protocol";
import {
  type BlobEngine,
  ContentStore,
  type DatabaseLocation,
  makeDurableFolder,
  type PointReads,
  STATE_ROOT_ALGORITHM,
} from "@twentysix/storage";
import { Registry } from "prom-client";
import { createApi } from "./api/create-api.ts";
import type { ApiServices } from "./api/services.ts";
import type { ApiSettings } from "./api/settings.ts";
import { type ChainSettings, NO_CHAINS } from "./chain/chain-settings.ts";
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
import { folderBytes, freeBytes } from "./services/disk-usage.ts";
import { createEconomy } from "./services/economy.ts";
import { addEconomyMetrics } from "./services/economy-metrics.ts";
import { addFileMetrics } from "./services/file-metrics.ts";
import { GraceRoom } from "./services/grace-room.ts";
import { createLiveFeed } from "./services/live-feed.ts";
import { NodeFigures } from "./services/node-figures.ts";
import { addPipelineMetrics } from "./services/pipeline-metrics.ts";
import { addProcessMetrics } from "./services/process-metrics.ts";
import { createRecalculation } from "./services/recalculation.ts";
import { createSubmit } from "./services/submit.ts";

export interface CoreNodeOptions {
  readonly dataDir: string;
  /** A PostgreSQL server and the database on it, instead of the database in the data folder. */
  readonly database?: DatabaseLocation | null;
  readonly apiHost: string;
  readonly apiPort: number;
  readonly definition: NetworkDefinition;
  readonly apiSettings: ApiSettings;
  /** What keeps the files; plain files in the data folder by default. */
  readonly engine?: BlobEngine;
  /** How it takes part in its network; by default it keeps to itself. */
  readonly peers?: PeerSettings;
  /** How the chains of the network are reached; by default none is. */
  readonly chains?: ChainSettings;
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
  /** Gives the start up, which may take long where another process writes to the database. */
  readonly signal?: AbortSignal;
}

/** A Core Channel Node that runs. */
export interface CoreNode {
  /** Where the API answers, such as `http://127.0.0.1:4024`. */
  readonly apiUrl: string;
  /** Where other nodes reach it, with the name of the peer; empty where it keeps to itself. */
  peerAddresses(): readonly string[];
  readonly pipeline: Pipeline;
  readonly reads: PointReads;
  /** The limits that the API was started with. */
  readonly apiSettings: ApiSettings;
  /** Rejects when a part fails that the node cannot live without. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

const MIB = 1024 * 1024;
/** Copies on their way at once; what they hold in memory stays a fraction of the budget. */
const MAX_IN_FLIGHT = 8_192;
/** New work ends before the disk does: the log, its checkpoint and what is queued still need room. */
const MIN_FREE_DISK_BYTES = 64 * MIB;

/** Starts the parts of a Core Channel Node in the order of their dependencies; `close` ends them in reverse. */
export async function startCoreNode(options: CoreNodeOptions): Promise<CoreNode> {
  const { definition, clock, timers, log } = options;
  const paths = dataPaths(options.dataDir);
  const database = options.database ?? paths.database;
  await using stack = new AsyncDisposableStack();
  await makeDurableFolder(paths.folder);
  // What a process that died was receiving; nobody was told that it is here.
  await rm(paths.staging, { recursive: true, force: true });

  const contents = stack.use(
    await ContentStore.open({
      folder: paths.contents,
      ...(options.engine === undefined ? {} : { engine: options.engine }),
      timers,
      minFreeBytes: MIN_FREE_DISK_BYTES,
      ...(options.maxDiskBytes === null ? {} : { maxBytes: options.maxDiskBytes }),
    }),
  );
  const rules = stateRulesOf(definition, options.apiSettings.gracePeriodMs);
  const pipeline = await Pipeline.start({
    databasePath: database,
    blobs: blobsFor(contents, paths),
    writerCacheBytes: 32 * MIB,
    switches: definition.switches,
    limits: definition.limits,
    rules,
    priceDefaults: definition,
    collectsFiles: true,
    verifierCount: 1,
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
    random: createSystemRandom(),
    log: log.child({ part: "files" }),
  });
  stack.defer(() => lifecycle.close());
  const readerLog = log.child({ part: "reader" });
  const reader = stack.use(
    new ReaderThread({
      databasePath: database,
      timers,
      ledger: ledgerSettings,
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
    diskUsage: () => folderBytes(paths.folder) + contents.usage.usedBytes,
    freeDiskBytes: () => freeBytes(paths.folder),
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
  addProcessMetrics(registry, stack.use(createEventLoopMonitor()), clock);
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
    checkFunds: (store, sizeBytes) => checkUploadFunds(ledger, switches, store, sizeBytes),
    holds: lifecycle.holds,
    stagingFolder: paths.staging,
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
  const api = await createApi(services, options.apiSettings);
  stack.defer(() => api.close());
  const apiUrl = await api.listen({ host: options.apiHost, port: options.apiPort });
  stack.defer(() => peers.close());
  if (options.peers !== undefined) {
    const random = createSystemRandom();
    await peers.start(
      {
        settings: options.peers,
        definition,
        bookPath: paths.peerBook,
        checkpointsPath: paths.checkpoints,
        catchUpMarkPath: paths.catchUpMark,
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
        reserveDisk: () => budgets.reserveDisk(),
        version: options.version,
        clock,
        timers,
        random,
        log: log.child({ part: "peers" }),
      },
      apiUrl,
    );
  }
  const { chains: settings = NO_CHAINS } = options;
  if (Object.keys({ ...settings.rpc, ...settings.indexers }).length > 0) {
    const { startAnchoring } = await import("./chain/start-anchoring.ts");
    const parts = { definition, pipeline, reader, contents, holds: lifecycle.holds, registry, clock, timers };
    const chainLog = log.child({ part: "chain" });
    const anchoring = stack.use(startAnchoring({ ...parts, settings, peers, log: chainLog }));
    figures.followChains(anchoring);
  }
  const running = stack.move();
  return {
    apiUrl,
    peerAddresses: () => peers.multiAddresses(),
    pipeline,
    reads,
    apiSettings: options.apiSettings,
    failed: pipeline.failed,
    close: () => running.disposeAsync(),
  };
}
