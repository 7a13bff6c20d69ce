import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  dataPaths,
  type ExportOptions,
  type ExportReport,
  exportMessages as exportFromDatabase,
  type ImportOptions,
  type ImportReport,
  importMessages as importIntoPipeline,
  Pipeline,
  stateRulesOf,
  type VerifyReport,
  verifyData,
} from "@twentysix/core-node";
import {
  createPinoLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import type { NodeConfig } from "./config/index.ts";
import { lockDataDir } from "./data-lock.ts";
import { loadNetwork } from "./network.ts";

const MIB = 1024 * 1024;

/** Computes the state of a data folder anew and compares. The node must be stopped. */
export async function verifyDataDir(
  config: NodeConfig,
  options: { readonly signal: AbortSignal },
): Promise<VerifyReport> {
  const lock = lockDataDir(config.dataDir);
  try {
    const paths = dataPaths(config.dataDir);
    return await verifyData({
      databasePath: paths.database,
      contentsFolder: paths.contents,
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

/** Writes the messages of a data folder as NDJSON; a node may be running on it. */
export async function exportMessages(config: NodeConfig, options: ExportOptions): Promise<ExportReport> {
  return await exportFromDatabase(dataPaths(config.dataDir).database, options);
}

/** Takes messages from NDJSON into a data folder. The node must be stopped. */
export async function importMessages(config: NodeConfig, options: ImportOptions): Promise<ImportReport> {
  const definition = loadNetwork(config.network);
  const paths = dataPaths(config.dataDir);
  const lock = lockDataDir(config.dataDir);
  mkdirSync(paths.folder, { recursive: true });
  const pipeline = await Pipeline.start({
    databasePath: paths.database,
    blobsPath: join(paths.contents, "files"),
    writerCacheBytes: 32 * MIB,
    switches: definition.switches,
    rules: stateRulesOf(definition, config.storageGracePeriodHours),
    verifierCount: 1,
    maxInFlight: 8_192,
    clock: createSystemClock(),
    timers: createSystemTimers(),
    log: createPinoLogger({ level: config.logLevel }),
    logPretty: process.stderr.isTTY === true,
  });
  try {
    return await importIntoPipeline(pipeline, options);
  } finally {
    await pipeline.close();
    lock.release();
  }
}
