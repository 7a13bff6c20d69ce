import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningNode, startNode } from "@twentysix/node";
import { defaultConfig, type NodeConfig } from "@twentysix/node/config";
import { FILES, fileBytes } from "./corpus.ts";

/** A data folder of a benchmark; removed at the end unless it is kept for a later one. */
export function benchFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "twentysix-bench-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A node of this very process, without a rate limit. */
export async function startBenchNode(
  dataDir: string,
  overrides: Partial<NodeConfig> = {},
): Promise<RunningNode> {
  return await startNode(
    defaultConfig(dataDir, {
      dataDir,
      apiPort: 0,
      network: "local",
      logLevel: "warn",
      rateLimitPerSecond: 0,
      maxMemoryBytes: 8 * 1024 ** 3,
      ...overrides,
    }),
  );
}

/** Uploads the files that the corpus names. */
export async function uploadFiles(apiUrl: string): Promise<void> {
  for (let index = 0; index < FILES; index += 1) {
    const answer = await fetch(`${apiUrl}/api/v0/storage/add_file`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: new Uint8Array(fileBytes(index)),
    });
    if (!answer.ok)
      throw new Error(`Upload of file ${index} failed: ${answer.status} ${await answer.text()}`);
  }
}
