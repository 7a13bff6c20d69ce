import { blobsFor, dataPaths, folderBytes, Pipeline, stateRulesOf } from "@twentysix/core-node";
import type {
  ExportOptions,
  ExportReport,
  ImportOptions,
  ImportReport,
  VerifyReport,
} from "@twentysix/core-node/archive";
import {
  createPinoLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import { contractChainsOf } from "@twentysix/protocol";
import { type BlobEngine, ContentStore, createBlobEngine } from "@twentysix/storage";
import type { NodeConfig } from "./config/index.ts";
import { lockDataDir } from "./data-lock.ts";
import { makeDurableFolder } from "./durable-folder.ts";
import { gracePeriodMsOf } from "./grace-period.ts";
import { loadNetwork } from "./network.ts";

export type { ImportReport };

const MIB = 1024 * 1024;
/** A node that serves does not load it. */
const loadArchive = () => import("@twentysix/core-node/archive");

/** Computes the state of a data folder anew and compares. The node must be stopped. */
export async function verifyDataDir(
  config: NodeConfig,
  options: { readonly signal: AbortSignal },
): Promise<VerifyReport> {
  const paths = dataPaths(config.dataDir);
  const databasePath = config.database ?? paths.database;
  const { assertDatabase, verifyData } = await loadArchive();
  await assertDatabase(databasePath);
  const lock = lockDataDir(config.dataDir);
  try {
    return await verifyData({
      databasePath,
      contentsFolder: paths.contents,
      engine: engineOf(config),
      scratchFolder: config.dataDir,
      definition: loadNetwork(config.network),
      clock: createSystemClock(),
      timers: createSystemTimers(),
      random: createSystemRandom(),
      log: createPinoLogger({ level: config.logLevel }),
      signal: options.signal,
    });
  } finally {
    lock.release();
  }
}

/** Writes the messages of a data folder, and what they rest on, as NDJSON; a node may be running on it. */
export async function exportMessages(
  config: NodeConfig,
  options: Pick<ExportOptions, "destination" | "after" | "withFiles" | "signal">,
): Promise<ExportReport> {
  const paths = dataPaths(config.dataDir);
  const databasePath = config.database ?? paths.database;
  const archive = await loadArchive();
  await archive.assertDatabase(databasePath);
  return await archive.exportMessages({
    databasePath,
    contentsFolder: paths.contents,
    engine: engineOf(config),
    timers: createSystemTimers(),
    ...options,
  });
}

/** Takes messages from NDJSON into a data folder. The node must be stopped. */
export async function importMessages(config: NodeConfig, options: ImportOptions): Promise<ImportReport> {
  const definition = loadNetwork(config.network);
  const gracePeriodMs = gracePeriodMsOf(config, definition);
  const paths = dataPaths(config.dataDir);
  const databasePath = config.database ?? paths.database;
  const clock = createSystemClock();
  const timers = createSystemTimers();
  await using stack = new AsyncDisposableStack();
  const lock = lockDataDir(config.dataDir);
  stack.defer(() => lock.release());
  makeDurableFolder(paths.folder);
  const maxBytes = config.maxDiskBytes;
  const budget = maxBytes === null ? {} : { maxBytes };
  const engine = engineOf(config);
  const contents = stack.use(await ContentStore.open({ folder: paths.contents, engine, timers, ...budget }));
  contents.server?.assertUsable();
  const pipeline = await Pipeline.start({
    databasePath,
    blobs: blobsFor(contents, paths),
    writerCacheBytes: 64 * MIB,
    switches: definition.switches,
    limits: definition.limits,
    contractChains: contractChainsOf(definition),
    rules: stateRulesOf(definition, gracePeriodMs),
    priceDefaults: definition,
    verifierCount: 1,
    maxInFlight: 8_192,
    clock,
    timers,
    log: createPinoLogger({ level: config.logLevel }),
    logPretty: process.stderr.isTTY === true,
  });
  stack.defer(() => pipeline.close());
  const services = {
    pipeline,
    contents,
    databasePath,
    definition,
    timers,
    clock,
    gracePeriodMicros: BigInt(gracePeriodMs) * 1_000n,
    hasRoom: () => maxBytes === null || folderBytes(paths.folder) + contents.usage.usedBytes < maxBytes,
  };
  return await (await loadArchive()).importMessages(services, options);
}

/** What keeps the files of a data folder. */
function engineOf({ blobs, logLevel }: NodeConfig): BlobEngine {
  return createBlobEngine(blobs, {
    timers: createSystemTimers(),
    random: createSystemRandom(),
    log: createPinoLogger({ level: logLevel }),
  });
}
