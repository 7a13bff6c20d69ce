import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDeferred } from "@twentysix/platform";
import type { PeerStream } from "../src/index.ts";
import { drained, rawPeer } from "./support/raw-peer.ts";
import { connected, testPeer } from "./support/test-network.ts";

const PROTOCOL = "/test/1.0.0";
const PIECE = new Uint8Array(64 * 1024).fill(7);
/** What is held for the reader, and what the window lets through beside it. */
const MOST_BYTES = 5 * 1024 * 1024;

async function total(stream: PeerStream): Promise<number> {
  let bytes = 0;
  for await (const piece of stream.source) bytes += piece.byteLength;
  return bytes;
}

describe("connections", { timeout: 60_000 }, () => {
  test("of one peer are eight at most, and of one address in a public network 32", async () => {
    await using node = await testPeer();
    await using many = await rawPeer(node.address);
    const further: Awaited<ReturnType<typeof many.connectAgain>>[] = [];
    for (let count = 0; count < 11; count += 1) further.push(await many.connectAgain());
    const openOnes = () => further.filter(({ status }) => status === "open").length + 1;
    while (openOnes() > 8) await new Promise((resolve) => setTimeout(resolve, 10));
    await roundTrip(many);
    assert.equal(openOnes(), 8);

    await using open = await testPeer({ isPrivate: false });
    await using stack = new AsyncDisposableStack();
    // Ten of a second are let in.
    for (let count = 0; count < 5; count += 1) {
      const peers = await Promise.all(Array.from({ length: 8 }, () => rawPeer(open.address)));
      for (const peer of peers) stack.use(peer);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
    }
    assert.equal(open.network.peers().length, 32);
  });
});

describe("streams", { timeout: 60_000 }, () => {
  test("hold the sender back while nobody reads, and lose nothing when somebody does", async () => {
    await using node = await testPeer();
    const first = createDeferred<void>();
    const go = createDeferred<void>();
    const done = createDeferred<number>();
    node.network.streams.handle(PROTOCOL, async (stream) => {
      const source = stream.source[Symbol.asyncIterator]();
      const { value } = await source.next();
      first.resolve();
      await go.promise;
      done.resolve((await total(stream)) + (value?.byteLength ?? 0));
    });
    await using sender = await rawPeer(node.address);
    const stream = await sender.open(PROTOCOL);
    let sentBytes = 0;
    const pieces = 512;
    const sending = (async () => {
      for (let index = 0; index < pieces; index += 1) {
        if (!stream.send(PIECE)) await drained(stream);
        sentBytes += PIECE.byteLength;
      }
      await stream.close();
    })();
    sending.catch(() => undefined);
    await first.promise;
    // Once the sender gets no further, a round trip shows that nothing is on its way.
    for (let before = -1; before !== sentBytes; ) {
      before = sentBytes;
      for (let trips = 0; trips < 5; trips += 1) await roundTrip(sender);
    }
    assert.ok(sentBytes < MOST_BYTES, `${sentBytes} bytes are held`);
    go.resolve();
    await sending;
    assert.equal(await done.promise, pieces * PIECE.byteLength);
  });

  test("hold back what is for a slow reader, however quick others are over the same connection", async () => {
    await using node = await testPeer();
    const sent = new Map<string, number>();
    node.network.streams.handle(PROTOCOL, async (stream) => {
      const { value } = await stream.source[Symbol.asyncIterator]().next();
      const name = new TextDecoder().decode(value);
      for (let index = 0; index < 1_024; index += 1) {
        await stream.send(PIECE);
        sent.set(name, (sent.get(name) ?? 0) + PIECE.byteLength);
      }
      await stream.end();
    });
    await using reader = await rawPeer(node.address);
    const slow = await reader.open(PROTOCOL);
    slow.pause();
    slow.send(new TextEncoder().encode("slow"));
    const quick = await reader.open(PROTOCOL);
    let readBytes = 0;
    const ended = new Promise((resolve) => quick.addEventListener("remoteCloseWrite", resolve));
    quick.addEventListener("message", ({ data }) => {
      readBytes += data.byteLength;
    });
    quick.send(new TextEncoder().encode("quick"));
    await ended;
    assert.equal(readBytes, 1_024 * PIECE.byteLength);
    assert.ok((sent.get("slow") ?? 0) < 1024 * 1024, `${sent.get("slow")} bytes are kept for the slow one`);
    slow.abort(new Error("done"));
  });

  test("give what was sent before their end, and tell how they ended", async () => {
    await using node = await testPeer();
    const outcomes: Promise<number>[] = [];
    node.network.streams.handle(PROTOCOL, async (stream) => {
      const outcome = total(stream);
      outcomes.push(outcome);
      await outcome.then(
        () => stream.end(),
        () => undefined,
      );
    });
    await using other = await testPeer({ bootstrap: [node.address] });
    await connected(other, 1);
    const { signal } = new AbortController();
    const open = () => other.network.streams.open(node.network.peerId, PROTOCOL, signal);
    const whole = await open();
    for (let count = 0; count < 20; count += 1) await whole.send(PIECE);
    await whole.end();
    await total(whole);
    const broken = await open();
    await broken.send(PIECE);
    while (outcomes.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    broken.abort(new Error("enough"));
    assert.equal(await outcomes[0], 20 * PIECE.byteLength);
    await assert.rejects(outcomes[1] ?? Promise.resolve(), { code: "NETWORK_PEER_FAILED" });
  });
});

async function roundTrip(peer: Awaited<ReturnType<typeof rawPeer>>): Promise<void> {
  const stream = await peer.open("/ipfs/ping/1.0.0");
  const answer = new Promise((resolve) => stream.addEventListener("message", resolve, { once: true }));
  stream.send(new Uint8Array(32));
  await answer;
  stream.abort(new Error("done"));
}
