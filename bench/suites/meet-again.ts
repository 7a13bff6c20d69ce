import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createEvmAccount } from "@twentysix/protocol";
import { signedPost } from "../funds.ts";
import { metric, peerAddress, stateRoot, until } from "../node-answers.ts";
import { runCommand, type StartedNode, startNodeProcess } from "../processes.ts";

/** Messages that each of two nodes has and the other one has not. */
export const DIFFERENT = 50;

export interface Meeting {
  /** What visits both ways sent and got, bodies left out. */
  readonly overheadBytes: number;
  /** From their connection until both have all. */
  readonly seconds: number;
}

/** Two nodes that have the same messages get different ones, each for itself, and meet. */
export async function meetAgain(oneDir: string, otherDir: string): Promise<Meeting> {
  const news = await freshPosts(DIFFERENT * 2);
  await importLines(oneDir, news.slice(0, DIFFERENT));
  await importLines(otherDir, news.slice(DIFFERENT));
  const one = await startNodeProcess(oneDir);
  // The trees take up what came last.
  await stateRoot(one);
  const other = await startNodeProcess(otherDir, ["--peers", await peerAddress(one)]);
  await until(async () => (await metric(other, "twentysix_connected_peers")) > 0, 5);
  const startedMs = performance.now();
  await until(async () => (await taken(one)) >= DIFFERENT && (await taken(other)) >= DIFFERENT, 20);
  const seconds = (performance.now() - startedMs) / 1_000;
  const roots = [await stateRoot(one), await stateRoot(other)].map(({ root }) => root);
  if (roots[0] !== roots[1]) throw new Error("Two nodes that have met have not one state root");
  const overheadBytes = (await overhead(one)) + (await overhead(other));
  await other.stop();
  await one.stop();
  return { overheadBytes, seconds };
}

/** Posts that no node has, also where the data folder was used before. */
async function freshPosts(count: number): Promise<readonly string[]> {
  const account = createEvmAccount({ privateKey: randomBytes(32) });
  const time = Math.floor(Date.now() / 1_000);
  return Promise.all(
    Array.from({ length: count }, (_, n) =>
      signedPost(account, { type: "bench", content: { n } }, time + n / count, "BENCH"),
    ),
  );
}

async function importLines(dataDir: string, lines: readonly string[]): Promise<void> {
  const path = join(dataDir, "news.ndjson");
  writeFileSync(path, `${lines.join("\n")}\n`);
  await runCommand(["import", "--data-dir", dataDir, "--log-level", "warn", "--input", path]);
  rmSync(path);
}

const taken = (node: StartedNode): Promise<number> => metric(node, "twentysix_sync_taken_messages_total");
const overhead = (node: StartedNode): Promise<number> => metric(node, "twentysix_sync_overhead_bytes_total");
