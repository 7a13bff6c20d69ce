import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import type { Stream } from "@libp2p/interface";
import {
  drained,
  GOSSIP_PROTOCOL,
  gossipFrame,
  prefixed,
  type RawPeer,
  rawPeer,
} from "./support/raw-peer.ts";
import { connected, type TestPeer, TOPICS, testPeer } from "./support/test-network.ts";

const MALFORMED = prefixed(Buffer.concat([Uint8Array.of(0x12, 0xff, 0xff, 0x03), Buffer.alloc(200, 9)]));
/** Without a bound this is taken while the others exchange so many messages. */
const POURED_BYTES = 7 * 1024 * 1024;
const EXCHANGED = 1_000;

async function gossiping(node: TestPeer): Promise<{ readonly peer: RawPeer; readonly stream: Stream }> {
  const peer = await rawPeer(node.address);
  const stream = await peer.open(GOSSIP_PROTOCOL);
  stream.send(gossipFrame({ subscriptions: [{ subscribe: true, topic: TOPICS.messages }] }));
  return { peer, stream };
}

/** Sends until it is stopped; says how much it got rid of. */
function pour(
  stream: Stream,
  frame: () => Promise<Uint8Array>,
): { readonly bytes: () => number; stop(): void } {
  let bytes = 0;
  let sent = 0;
  let isStopped = false;
  const run = async (): Promise<void> => {
    while (!isStopped && bytes < POURED_BYTES) {
      const next = await frame();
      if (!stream.send(next)) await drained(stream);
      bytes += next.byteLength;
      sent += 1;
      if (sent % 256 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  run().catch(() => undefined);
  return {
    bytes: () => bytes,
    stop: () => {
      isStopped = true;
      stream.abort(new Error("enough"));
    },
  };
}

describe("a peer that floods", { timeout: 120_000 }, () => {
  for (const [what, frame] of [
    ["frames that are no protobuf", async () => MALFORMED],
    [
      "messages that are none",
      async (peer: RawPeer) => {
        // No UTF-8.
        const data = Buffer.concat([Uint8Array.of(0xff), randomBytes(200)]);
        return gossipFrame({ messages: [await peer.signed(TOPICS.messages, data)] });
      },
    ],
  ] as const) {
    test(`with ${what} is held back, and others are heard meanwhile`, async () => {
      await using node = await testPeer();
      await using honest = await testPeer({ bootstrap: [node.address] });
      await connected(honest, 1);
      const { peer, stream } = await gossiping(node);
      const flood = pour(stream, () => frame(peer));
      for (let number = 0; number < EXCHANGED; number += 1) {
        const text = `heard all the same ${number}`;
        while ((await honest.network.publish(text)).recipients === 0);
        await node.hears(text);
      }
      assert.ok(flood.bytes() < POURED_BYTES, `${flood.bytes()} bytes were taken`);
      flood.stop();
      await peer[Symbol.asyncDispose]();
    });
  }
});
