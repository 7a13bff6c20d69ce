import assert from "node:assert/strict";
import { join } from "node:path";
import { type Client, createClient } from "@twentysix/sdk";
import { type Acknowledgement, loadAccount, noAcknowledgements, runLoad } from "../../support/load.ts";
import { startNode } from "../../support/node-process.ts";
import { oneShotFetch } from "./one-shot-fetch.ts";
import { type DiskRecord, readLog } from "./read-log.ts";

export const CROWD = 48;
const CROWD_EACH = 6;
const ALONE = 12;
const WORKERS = 8;
const ANSWERS = 160;

/** An answer of the node, and the record at which its last bytes left. */
export interface Promised extends Acknowledgement {
  readonly at: number;
}

export interface Recording {
  readonly records: readonly DiskRecord[];
  readonly promised: readonly Promised[];
  /** Messages that may be forgotten. */
  readonly forgetSent: ReadonlySet<string>;
  /** Records at which the answers left to one who sent message after message, and to many at once. */
  readonly alone: readonly number[];
  readonly crowd: readonly number[];
}

/**
 * Has a node work with its disk recorded: posts one by one, posts by many at once, a mixed load; and stops it.
 *
 * @param environment of the node, as `buildRecorder` gives it
 */
export async function recordNode(
  rootPath: string,
  logPath: string,
  environment: Readonly<Record<string, string>>,
  seed: number,
): Promise<Recording> {
  await using node = await startNode(join(rootPath, "data"), { environment });
  const { apiUrl } = node;
  const alone = await sendPosts(apiUrl, 1, ALONE);
  const crowd = await sendPosts(apiUrl, CROWD, CROWD_EACH);
  const acknowledged = noAcknowledgements();
  const heard: (Acknowledgement & { readonly port: number })[] = [];
  const ports = new Map<number, number>();
  const enough = new AbortController();
  await runLoad({
    apiUrl,
    acknowledged,
    seed,
    workers: WORKERS,
    signal: enough.signal,
    fetchOf: (worker) => oneShotFetch((port) => ports.set(worker, port)),
    onAcknowledged: (one, worker) => heard.push({ ...one, port: ports.get(worker) ?? 0 }),
    onAnswer: () => heard.length >= ANSWERS && enough.abort(),
  });
  assert.ok(heard.length >= ANSWERS, `the load ended after ${heard.length} answers: ${node.stderr}`);
  assert.equal((await node.stop()).exitCode, 0, node.stderr);

  const records = [...readLog(logPath)];
  const sentAt = lastSends(records);
  const at = (port: number): number => {
    const index = sentAt.get(port);
    if (index === undefined) throw new Error(`The log has no answer to port ${port}`);
    return index;
  };
  return {
    records,
    promised: heard.map(({ port, ...one }) => ({ ...one, at: at(port) })),
    forgetSent: acknowledged.forgetSent,
    alone: alone.map(at),
    crowd: crowd.map(at),
  };
}

/** Gives the local ports of the connections, each of which carried one message. */
async function sendPosts(apiUrl: string, senders: number, each: number): Promise<number[]> {
  const ports: number[] = [];
  const fetch = oneShotFetch((port) => ports.push(port));
  const client = createClient({ apiUrl, retries: 0, fetch });
  await Promise.all(Array.from({ length: senders }, (_, sender) => sendSome(client, sender, each)));
  return ports;
}

async function sendSome(client: Client, sender: number, count: number): Promise<void> {
  const account = loadAccount(2 * sender);
  for (let n = 0; n < count; n += 1) {
    await client.createPost({ account, type: "crowd", content: { sender, n, count }, sync: true });
  }
}

function lastSends(records: readonly DiskRecord[]): Map<number, number> {
  const found = new Map<number, number>();
  for (const [index, { kind, number }] of records.entries()) if (kind === "send") found.set(number, index);
  return found;
}
