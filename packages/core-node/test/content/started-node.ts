import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createMemoryLogger, createSystemClock, type MemoryLogger, type Timers } from "@twentysix/platform";
import { parseJson, parseNetworkDefinition } from "@twentysix/protocol";
import type { BlobEngine } from "@twentysix/storage";
import { DEFAULT_API_SETTINGS } from "../../src/api/settings.ts";
import { type CoreNode, startCoreNode } from "../../src/core-node.ts";
import { dataPaths } from "../../src/data-paths.ts";

export interface StartedNode {
  readonly core: CoreNode;
  readonly log: MemoryLogger;
  /** Where its stored files stand. */
  readonly filesFolder: string;
}

/** A whole node of the local network on a free port and in a temporary folder, with the timers of the test. */
export async function startNodeWith(
  context: TestContext,
  timers: Timers,
  engine?: BlobEngine,
): Promise<StartedNode> {
  const dataDir = await mkdtemp(join(tmpdir(), "twentysix-started-"));
  const path = new URL("../../../../networks/local.json", import.meta.url);
  const json = parseJson(await readFile(path, "utf8"));
  const read = json.ok ? parseNetworkDefinition(json.value) : null;
  if (read === null || !read.ok) throw new Error("networks/local.json is not a network definition");
  const log = createMemoryLogger();
  const core = await startCoreNode({
    dataDir,
    apiHost: "127.0.0.1",
    apiPort: 0,
    definition: read.definition,
    apiSettings: { ...DEFAULT_API_SETTINGS, gracePeriodMs: 86_400_000 },
    maxDiskBytes: null,
    maxMemoryBytes: Number.MAX_SAFE_INTEGER,
    memoryUsage: () => 0,
    version: "test",
    address: "0x0000000000000000000000000000000000000000",
    clock: createSystemClock(),
    timers,
    ...(engine === undefined ? {} : { engine }),
    log,
    logPretty: false,
  });
  context.after(async () => {
    await core.close();
    await rm(dataDir, { recursive: true });
  });
  return { core, log, filesFolder: join(dataPaths(dataDir).contents, "files") };
}
