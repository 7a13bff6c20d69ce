import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import type { LiveMessage } from "@twentysix/storage";
import { type RealNode, startRealNode, testAccount } from "./support/real-node.ts";
import { openWebsocket, refusedUpgrade } from "./support/socket-client.ts";
import { startApi } from "./support/start-api.ts";

const note = (n: number): string => `"type":"note","content":{"n":${n}}`;

async function putNotes(node: RealNode, count: number): Promise<string[]> {
  const hashes: string[] = [];
  for (let n = 0; n < count; n += 1) {
    hashes.push(await node.put({ type: "POST", members: note(n), time: `17000000${10 + n}.5` }));
  }
  return hashes;
}

test("history comes oldest first, then every new message that matches", async (t) => {
  const node = await startRealNode(t);
  const hashes = await putNotes(node, 12);
  const client = await openWebsocket(t, `${node.wsUrl}/api/ws0/messages?msgType=POST`);
  for (const hash of hashes.slice(2)) {
    const frame = await client.next();
    assert.equal(frame.item_hash, hash);
    assert.ok("content" in frame && "size" in frame);
  }
  await node.put({ type: "AGGREGATE", members: '"key":"k","content":{}' });
  const live = await node.put({ type: "POST", members: note(99) });
  const frame = await client.next();
  assert.equal(frame.item_hash, live);
  assert.deepEqual(frame.confirmations, []);
  client.socket.send("whatever a client says is ignored");
  const after = await node.put({ type: "POST", members: note(100) });
  assert.equal((await client.next()).item_hash, after);
  assert.deepEqual(client.unread, []);
});

test("filters hold for history and live alike, in both spellings and formats", async (t) => {
  const node = await startRealNode(t);
  const other = testAccount(1);
  const tagged = '"type":"note","content":{"tags":["wanted"],"big":1152921504606846977}';
  await node.put({ type: "POST", members: tagged });
  await node.put({ type: "POST", members: note(1) });
  const query = (text: string): string => `${node.wsUrl}/api/ws0/messages?${text}`;
  const byTag = await openWebsocket(t, query("tags=wanted,else&history=5"));
  const bySender = await openWebsocket(
    t,
    query(`addresses=${other.address}&channels=C1,C2&content_format=headers`),
  );
  const byKey = await openWebsocket(t, query("contentKeys=profile&excludeContent=true&history=0"));
  const none = await openWebsocket(t, query("msgStatuses=forgotten&history=0"));
  assert.match(await byTag.nextText(), /"big":1152921504606846977/);

  const store = { account: other, channel: "C1" } as const;
  await node.put({ type: "POST", members: note(2), account: other, channel: "C3" });
  const wanted = await node.put({
    type: "AGGREGATE",
    members: '"key":"profile","content":{"tags":["wanted"]}',
    ...store,
  });
  for (const client of [byTag, bySender, byKey]) assert.equal((await client.next()).item_hash, wanted);
  const last = await node.put({ type: "AGGREGATE", members: '"key":"profile","content":{"x":1}', ...store });
  const frames = [await bySender.next(), await byKey.next()];
  for (const frame of frames) {
    assert.equal(frame.item_hash, last);
    assert.ok(!("content" in frame));
  }
  for (const client of [byTag, bySender, byKey, none]) assert.deepEqual(client.unread, []);
});

test("no message is lost or told twice between history and live", async (t) => {
  const node = await startRealNode(t);
  await putNotes(node, 3);
  const submitted: Promise<string>[] = [];
  for (let n = 0; n < 60; n += 1)
    submitted.push(node.put({ type: "POST", members: note(1_000 + n), time: `1700001${100 + n}.5` }));
  const client = await openWebsocket(t, `${node.wsUrl}/api/ws0/messages?history=199`);
  const expected = new Set(await Promise.all(submitted));
  const seen: unknown[] = [];
  while (seen.length < 63) seen.push((await client.next()).item_hash);
  const closing = await node.put({ type: "POST", members: note(5_000), time: "1700009999.5" });
  seen.push((await client.next()).item_hash);
  assert.equal(seen.at(-1), closing);
  assert.equal(new Set(seen).size, 64);
  assert.ok([...expected].every((hash) => seen.includes(hash)));
});

test("since_cursor replays everything after a list cursor and goes on live", async (t) => {
  const node = await startRealNode(t);
  const hashes = await putNotes(node, 9);
  const page = (await node.json("/api/v0/messages.json?sortOrder=1&cursor=&pagination=4")) as {
    next_cursor: string;
  };
  const client = await openWebsocket(t, `${node.wsUrl}/api/ws0/messages?since_cursor=${page.next_cursor}`);
  for (const hash of hashes.slice(4)) assert.equal((await client.next()).item_hash, hash);
  const live = await node.put({ type: "POST", members: note(50) });
  assert.equal((await client.next()).item_hash, live);
});

test("a query that does not fit is refused before the upgrade, a plain GET told to upgrade", async (t) => {
  const node = await startRealNode(t);
  for (const [query, loc] of [
    ["history=200", ["history"]],
    ["history=-1", ["history"]],
    ["history=x", ["history"]],
    ["msgType=NOPE", ["msgType"]],
    ["hashes=zz", ["hashes", 0]],
    ["startDate=9&endDate=3", ["endDate"]],
    ["since_cursor=zz", ["since_cursor"]],
  ] as const) {
    const { status, body } = await refusedUpgrade(`${node.wsUrl}/api/ws0/messages?${query}`);
    assert.equal(status, 422, query);
    assert.deepEqual(JSON.parse(body)[0].loc, loc);
  }
  assert.equal((await refusedUpgrade(`${node.wsUrl}/api/ws0/nothing`)).status, 404);
  assert.equal((await refusedUpgrade(`${node.wsUrl}/version`)).status, 400);
  assert.equal((await refusedUpgrade(`${node.wsUrl}/api/ws0/message/nothash`)).status, 404);
  const plain = await node.get("/api/ws0/messages");
  assert.equal(plain.status, 426);
  assert.equal(node.services.listeners(), 0);
});

test("the feed of the node is listened to only while a socket is open", async (t) => {
  const node = await startRealNode(t);
  const first = await openWebsocket(t, `${node.wsUrl}/api/ws0/messages?addresses=0xA,0xB&history=0`);
  const second = await openWebsocket(t, `${node.wsUrl}/api/ws0/messages?history=0`);
  const hash = await node.put({ type: "POST", members: note(1) });
  assert.equal((await second.next()).item_hash, hash);
  assert.equal(node.services.listeners(), 1);
  for (const client of [first, second]) {
    client.socket.close();
    await client.closed;
  }
  while (node.services.listeners() > 0) await new Promise((resolve) => setImmediate(resolve));
  const figures = (await node.json("/metrics.json")) as Record<string, number>;
  assert.deepEqual(
    [figures.pyaleph_ws_messages_connections_active, figures.pyaleph_ws_messages_broadcast_total],
    [0, 1],
  );
});

test("sockets above the limit are closed with 1013 after the handshake", async (t) => {
  const api = await startApi(t, { settings: { websocket: { maxStatusConnections: 1 } } });
  const first = await openWebsocket(t, `${api.wsUrl}/api/ws0/status`);
  const second = await openWebsocket(t, `${api.wsUrl}/api/ws0/status`);
  assert.deepEqual(await second.closed, [1013, "Too many connections"]);
  const figures = (await api.json("/metrics.json")) as Record<string, number>;
  assert.deepEqual(
    [
      figures.pyaleph_ws_status_connections_active,
      figures.pyaleph_ws_status_connections_max,
      figures.pyaleph_ws_status_connections_rejected_total,
    ],
    [1, 1, 1],
  );
  first.socket.close();
});

test("a client that does not answer pings is cut, one that does is kept", async (t) => {
  const api = await startApi(t, {
    settings: { websocket: { heartbeatMs: 20, pongTimeoutMs: 40, statusPeriodMs: 1e6 } },
  });
  const silent = await openWebsocket(t, `${api.wsUrl}/api/ws0/status`, { autoPong: false });
  const alive = await openWebsocket(t, `${api.wsUrl}/api/ws0/status`);
  let pings = 0;
  const pingedOften = new Promise<void>((resolve) => {
    alive.socket.on("ping", () => {
      pings += 1;
      if (pings === 5) resolve();
    });
  });
  assert.equal((await silent.closed)[0], 1006);
  await pingedOften;
  assert.equal(alive.socket.readyState, alive.socket.OPEN);
});

test("a client that does not read is dropped, and its memory with it", async (t) => {
  const api = await startApi(t, {
    settings: { websocket: { maxQueuedBytes: 200_000, pongTimeoutMs: 50, heartbeatMs: 1e6 } },
  });
  const socket = connect(api.port, "127.0.0.1");
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write(
    "GET /api/ws0/messages?history=0 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  // Reads the handshake and then nothing more.
  await new Promise((resolve) => socket.once("data", resolve));
  socket.pause();
  const facts = {
    itemHash: "ab".repeat(32),
    type: "POST",
    sender: "0xA",
    channel: null,
  } as LiveMessage["facts"];
  const json = JSON.stringify({ text: "x".repeat(50_000) });
  const texts = { full: () => json, withoutContent: () => "{}" };
  const message: LiveMessage = { seq: 1, origin: "http", facts, heldBytes: json.length, ...texts };
  while (api.services.listeners() > 0) {
    api.services.announce(message);
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.resume();
  await closed;
});

test("the status socket tells the figures at once and again when they change", async (t) => {
  const api = await startApi(t, { settings: { websocket: { statusPeriodMs: 20 } } });
  const client = await openWebsocket(t, `${api.wsUrl}/api/ws0/status`);
  const first = await client.next();
  assert.equal(first.pyaleph_status_sync_messages_total, 42);
  assert.equal(first.pyaleph_ws_status_connections_active, 0);
  api.services.nodeStatus = { ...api.services.nodeStatus, messages: 43 };
  assert.equal((await client.next()).pyaleph_status_sync_messages_total, 43);
  const late = await openWebsocket(t, `${api.wsUrl}/api/ws0/status`);
  assert.equal((await late.next()).pyaleph_status_sync_messages_total, 43);
});

test("the socket of one message tells its statuses and ends with the last", async (t) => {
  const node = await startRealNode(t);
  const { text, itemHash } = await node.sign({ type: "POST", members: note(1) });
  const early = await openWebsocket(t, `${node.wsUrl}/api/ws0/message/${itemHash}`);
  await node.post("/api/v0/messages", `{"message":${text}}`);
  let frame = await early.next();
  if (frame.status === "pending") frame = await early.next();
  assert.deepEqual([frame.status, frame.item_hash], ["processed", itemHash]);
  assert.deepEqual(await early.closed, [1000, "processed"]);

  const bad = await node.put({ type: "FORGET", members: '"hashes":[]' });
  const late = await openWebsocket(t, `${node.wsUrl}/api/ws0/message/${bad}`);
  const rejected = await late.next();
  assert.equal(rejected.status, "rejected");
  assert.equal(typeof rejected.error_code, "number");
  assert.deepEqual(await late.closed, [1000, "rejected"]);
});

test("closing the API says goodbye to every socket", async (t) => {
  const api = await startApi(t);
  const polite = await openWebsocket(t, `${api.wsUrl}/api/ws0/status`);
  await api.close();
  assert.deepEqual(await polite.closed, [1001, "The node stops"]);
});
