import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { createClient } from "@twentysix/sdk";
import { eventually } from "../support/eventually.ts";
import { assertWell, figure } from "../support/figures.ts";
import { loadAccount } from "../support/load.ts";
import { type NodeProcess, startNode } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { openRaw, statusOf } from "./raw-client.ts";

const MIB = 1024 * 1024;
const IDLE_CONNECTIONS = 10_000;
const SLOW_CLIENTS = 200;
const SLOW_READERS = 400;
/** Lists without limit that a node sends at once. */
const STREAMS = 64;
const POSTS = 1_200;
const POST_BYTES = 20_000;
/** What the slow and the idle may cost; without bounds the slow readers alone take 2 GiB. */
const MAX_MORE_BYTES = 700 * MIB;

describe("clients that waste what a node has", () => {
  const folder = temporaryFolder("clients");
  let node: NodeProcess;
  let restBytes = 0;
  const sockets: Socket[] = [];

  const open = async (count: number): Promise<Socket[]> => {
    const opened: Socket[] = [];
    while (opened.length < count) {
      const width = Math.min(200, count - opened.length);
      opened.push(...(await Promise.all(Array.from({ length: width }, () => openRaw(node.apiUrl)))));
    }
    sockets.push(...opened);
    return opened;
  };

  /** Others are served meanwhile, and the memory stays within bounds. */
  const assertServing = async (): Promise<void> => {
    const client = createClient({ apiUrl: node.apiUrl });
    const content = { at: sockets.length };
    const made = await client.createPost({ account: loadAccount(0), type: "t", content, sync: true });
    assert.equal(made.status, "processed");
    const bytes = await figure(node.apiUrl, "twentysix_memory_used_bytes");
    assert.ok(bytes - restBytes < MAX_MORE_BYTES, `${Math.round((bytes - restBytes) / MIB)} MiB more`);
  };

  before(async () => {
    node = await startNode(folder.path);
    const client = createClient({ apiUrl: node.apiUrl });
    const account = loadAccount(0);
    for (let start = 0; start < POSTS; start += 100) {
      const bodies = Array.from({ length: 100 }, (_, n) => `${start + n} ${"text ".repeat(POST_BYTES / 5)}`);
      await Promise.all(bodies.map((body) => client.createPost({ account, type: "t", content: { body } })));
    }
    await assertWell(node.apiUrl);
    restBytes = await figure(node.apiUrl, "twentysix_memory_used_bytes");
  });
  after(async () => {
    for (const socket of sockets) socket.destroy();
    await node[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  test(`${SLOW_READERS} clients ask for everything and read nothing`, async () => {
    const readers = await open(SLOW_READERS);
    for (const socket of readers) {
      socket.pause();
      socket.write("GET /api/v0/messages.json?pagination=0 HTTP/1.1\r\nHost: node\r\n\r\n");
    }
    await assertServing();
    const refused = readers.slice(STREAMS);
    assert.deepEqual([...new Set(await Promise.all(refused.map(statusOf)))], [503]);
    // One of the others changes its mind, and gets all of it.
    const [patient] = readers;
    assert.ok(patient !== undefined);
    let receivedBytes = 0;
    patient.on("data", (piece) => {
      receivedBytes += piece.length;
    });
    patient.resume();
    await eventually(() => receivedBytes > POSTS * POST_BYTES);
    await assertServing();
    for (const socket of readers) socket.destroy();
    // Whoever comes after them is served.
    await eventually(async () => {
      const response = await fetch(`${node.apiUrl}/api/v0/messages.json?pagination=0`);
      return (await response.bytes()).length > POSTS * POST_BYTES;
    });
  });

  test(`${IDLE_CONNECTIONS} connections that say nothing`, async () => {
    await open(IDLE_CONNECTIONS);
    await assertServing();
    for (const socket of sockets) socket.destroy();
  });

  test(`${SLOW_CLIENTS} clients that never end their headers or their body are told to go`, async () => {
    const slow = await open(SLOW_CLIENTS);
    for (const [n, socket] of slow.entries()) {
      const start = "POST /api/v0/messages HTTP/1.1\r\nHost: node\r\n";
      socket.write(n % 2 === 0 ? start : `${start}Content-Length: 100\r\n\r\n{"message":`);
    }
    await assertServing();
    const statuses = new Set(await Promise.all(slow.map(statusOf)));
    assert.deepEqual([...statuses], [408]);
    await assertServing();
  });

  test("none of them left anything behind", async () => {
    const gone = sockets.map((socket) => (socket.closed ? null : once(socket, "close")));
    for (const socket of sockets) socket.destroy();
    await Promise.all(gone);
    await assertWell(node.apiUrl);
    assert.equal((await node.stop()).exitCode, 0, node.stderr);
    assert.equal(node.stderr, "");
  });
});
