import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultConfig, type NodeConfig } from "../../src/config/index.ts";
import { type RunningNode, startNode } from "../../src/start-node.ts";

export interface TestNode {
  readonly apiUrl: string;
  readonly wsUrl: string;
  readonly dataDir: string;
  /** The parts of the node as it runs now. */
  readonly core: RunningNode["core"];
  /** Stops the node and starts it on the same data and the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** Stops the node and deletes its data. */
  remove(): Promise<void>;
}

/** A whole node on a free port, with its data in a temporary folder. */
export async function startTestNode(overrides: Partial<NodeConfig> = {}): Promise<TestNode> {
  const folder = mkdtempSync(join(tmpdir(), "twentysix-client-"));
  const config = defaultConfig(folder, {
    dataDir: join(folder, "data"),
    apiHost: "127.0.0.1",
    apiPort: 0,
    p2pPort: null,
    network: "local",
    logLevel: "error",
    // What an authority publishes would be among what a test counts.
    roles: ["ccn"],
    // Several nodes, their clients and what these send share one process.
    maxMemoryBytes: 4 * 1024 ** 3,
    ...overrides,
  });
  let node = await startNode(config);
  const { apiUrl } = node;
  let isRunning = true;
  const stop = async (): Promise<void> => {
    if (!isRunning) return;
    isRunning = false;
    await node.close();
  };
  return {
    apiUrl,
    wsUrl: apiUrl.replace("http", "ws"),
    dataDir: config.dataDir,
    get core() {
      return node.core;
    },
    stop,
    async restart() {
      await stop();
      node = await startNode({ ...config, apiPort: Number(new URL(apiUrl).port) });
      isRunning = true;
    },
    async remove() {
      await stop();
      rmSync(folder, { recursive: true });
    },
  };
}
