import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { createClient } from "@twentysix/sdk";
import { eventually } from "../support/eventually.ts";
import { assertWell, figure } from "../support/figures.ts";
import { loadAccount } from "../support/load.ts";
import { type NodeProcess, startNode } from "../support/node-process.ts";
import { putRaw, rawAccount } from "../support/raw-messages.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { openRaw, statusOf, statusThenPause } from "./raw-client.ts";

const MIB = 1024 * 1024;
const IDLE_CONNECTIONS = 4_000;
const SLOW_CLIENTS = 200;
const SLOW_READERS = 400;
/** Lists without limit that a node sends at once. */
const STREAMS = 64;
/** As much to read in few messages: signing and storing them is not what is tested. */
const POSTS = 240;
const POST_BYTES = 100_000;
const POSTS_AT_ONCE = 40;
/** What the slow and the idle may cost; without bounds the slow readers alone take 2 GiB. */
const MAX_MORE_BYTES = 700 * MIB;
/** A test that waits for what never comes fails instead of waiting on. */
const TIMEOUT_MS = 180_000;

describe("clients that waste what a node has", () => {
  const folder = temporaryFolder("clients");
  let node: NodeProcess;
  let restBytes = 0;
  const sockets: Socket[] = [];
  /** The answers to those who never end a request; the node waits for them while the other tests run. */
  let slowAnswers: Promise<number[]> = Promise.resolve([]);

  const open = async (count: number): Promise<Socket[]> => {
    const opened: Socket[] = [];
    while (opened.length < count) {
      const width = Math.min(200, count - opened.length);
      opened.push(...(await Promise.all(Array.from({ length: width }, () => openRaw(node.apiUrl)))));
    }
    sockets.push(...opened);
    return opened;
  };

  const closeAll = (opened: readonly Socket[]): void => {
    for (const socket of opened) socket.destroy();
  };

  /** Others are served meanwhile, and the memory stays within bounds. */
  const assertServing = async (): Promise<void> => {
    const client = createClient({ apiUrl: node.apiUrl, timeoutMs: TIMEOUT_MS });
    const content = { at: sockets.length };
    const made = await client.createPost({ account: loadAccount(0), type: "t", content, sync: true });
    assert.equal(made.status, "processed");
    const bytes = await figure(node.apiUrl, "twentysix_memory_used_bytes");
    assert.ok(bytes - restBytes < MAX_MORE_BYTES, `${Math.round((bytes - restBytes) / MIB)} MiB more`);
  };

  before(
    async () => {
      node = await startNode(folder.path);
      const account = rawAccount("much to read");
      const text = "text ".repeat(POST_BYTES / 5);
      for (let start = 0; start < POSTS; start += POSTS_AT_ONCE) {
        const some = Array.from({ length: POSTS_AT_ONCE }, (_, n) => {
          const members = `"type":"t","content":"${start + n} ${text}"`;
          return putRaw(node, { type: "POST", account, members });
        });
        await Promise.all(some);
      }
      await assertWell(node.apiUrl);
      restBytes = await figure(node.apiUrl, "twentysix_memory_used_bytes");
      const slow = await open(SLOW_CLIENTS);
      slowAnswers = Promise.all(slow.map(statusOf));
      for (const [n, socket] of slow.entries()) {
        const start = "POST /api/v0/messages HTTP/1.1\r\nHost: node\r\n";
        socket.write(n % 2 === 0 ? start : `${start}Content-Length: 100\r\n\r\n{"message":`);
      }
      await assertServing();
    },
    { timeout: TIMEOUT_MS },
  );
  after(async () => {
    closeAll(sockets);
    await node[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  test(`${SLOW_READERS} clients ask for everything and read nothing`, { timeout: TIMEOUT_MS }, async (t) => {
    const readers = await open(SLOW_READERS);
    t.after(() => closeAll(readers));
    const answers = readers.map(statusThenPause);
    for (const socket of readers) {
      socket.write("GET /api/v0/messages.json?pagination=0 HTTP/1.1\r\nHost: node\r\n\r\n");
    }
    await assertServing();
    const statuses = await Promise.all(answers);
    const served = readers.filter((_, n) => statuses[n] === 200);
    assert.equal(served.length, STREAMS);
    assert.equal(statuses.filter((status) => status === 503).length, SLOW_READERS - STREAMS);
    await assertServing();
    // One of those who are served changes its mind, and gets all of it.
    const [patient] = served;
    assert.ok(patient !== undefined);
    let receivedBytes = 0;
    patient.on("data", (piece) => {
      receivedBytes += piece.length;
    });
    patient.resume();
    await eventually(() => receivedBytes > POSTS * POST_BYTES);
    await assertServing();
    closeAll(readers);
    // Whoever comes after them is served.
    await eventually(async () => {
      const response = await fetch(`${node.apiUrl}/api/v0/messages.json?pagination=0`);
      return (await response.bytes()).length > POSTS * POST_BYTES;
    });
  });

  test(`${IDLE_CONNECTIONS} connections that say nothing`, { timeout: TIMEOUT_MS }, async (t) => {
    const idle = await open(IDLE_CONNECTIONS);
    t.after(() => closeAll(idle));
    await assertServing();
  });

  test(`${SLOW_CLIENTS} clients that never end their headers or their body are told to go`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const statuses = new Set(await slowAnswers);
    assert.deepEqual([...statuses], [408]);
    await assertServing();
  });

  test("none of them left anything behind", { timeout: TIMEOUT_MS }, async () => {
    const gone = sockets.map((socket) => (socket.closed ? null : once(socket, "close")));
    closeAll(sockets);
    await Promise.all(gone);
    await assertWell(node.apiUrl);
    assert.equal((await node.stop()).exitCode, 0, node.stderr);
    assert.equal(node.stderr, "");
  });
});
