import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RPC } from "@libp2p/gossipsub/message";
import type { Stream } from "@libp2p/interface";
import { createDeferred } from "@twentysix/platform";
import { decodeGossip, encodeGossip, type GossipVerdict } from "../src/index.ts";
import { GOSSIP_PROTOCOL, gossipFrame, type RawPeer, rawPeer } from "./support/raw-peer.ts";
import { type TestPeer, TOPICS, testPeer } from "./support/test-network.ts";

const topic = TOPICS.messages;

/** A neighbour in the mesh of a node, which passes nothing on by itself. */
interface Neighbour extends AsyncDisposable {
  readonly raw: RawPeer;
  /** Texts that the node has sent it. */
  readonly heard: string[];
  send(...messages: readonly RPC.Message[]): void;
  hears(text: string): Promise<void>;
}

async function neighbourOf(node: TestPeer): Promise<Neighbour> {
  const heard: string[] = [];
  const news = new EventTarget();
  const take = (frame: Uint8Array): void => {
    for (const { data } of RPC.decode(frame).messages)
      heard.push(decodeGossip(data ?? new Uint8Array())[0] ?? "");
    news.dispatchEvent(new Event("heard"));
  };
  const raw = await rawPeer(node.address, { [GOSSIP_PROTOCOL]: (stream) => void eachFrame(stream, take) });
  const out = await raw.open(GOSSIP_PROTOCOL);
  const control = { ihave: [], iwant: [], graft: [{ topicID: topic }], prune: [], idontwant: [] };
  out.send(gossipFrame({ subscriptions: [{ subscribe: true, topic }], control }));
  return {
    raw,
    heard,
    send: (...messages) => void out.send(gossipFrame({ messages: [...messages] })),
    hears: async (text) => {
      while (!heard.includes(text))
        await new Promise((resolve) => news.addEventListener("heard", resolve, { once: true }));
    },
    [Symbol.asyncDispose]: () => raw[Symbol.asyncDispose](),
  };
}

/** Frames after their length, as gossip has them. */
async function eachFrame(stream: Stream, take: (frame: Uint8Array) => void): Promise<void> {
  let rest = Buffer.alloc(0);
  for await (const piece of stream) {
    rest = Buffer.concat([rest, piece.subarray()]);
    for (;;) {
      const lengthBytes = rest.findIndex((byte) => byte < 0x80) + 1;
      if (lengthBytes === 0) break;
      const length = rest.subarray(0, lengthBytes).reduceRight((sum, byte) => sum * 128 + (byte & 0x7f), 0);
      if (rest.length < lengthBytes + length) break;
      take(rest.subarray(lengthBytes, lengthBytes + length));
      rest = rest.subarray(lengthBytes + length);
    }
  }
}

describe("a message", { timeout: 60_000 }, () => {
  test("is passed on to those alone that have not sent it while it was judged, or waited", async () => {
    await using node = await testPeer();
    await using author = await neighbourOf(node);
    await using repeater = await neighbourOf(node);
    await using other = await neighbourOf(node);
    const neighbours = [author, repeater, other];
    // What each of them hears shows that it is known as a neighbour.
    for (let count = 0; (await node.network.publish(`hello ${count}`)).recipients < 3; count += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const verdict = createDeferred<GossipVerdict>();
    node.verdict = verdict.promise;
    const first = await author.raw.signed(topic, encodeGossip("first"));
    author.send(first);
    await node.hears("first");
    repeater.send(first);
    repeater.send(await repeater.raw.signed(topic, encodeGossip("second")));
    await node.hears("second");
    verdict.resolve("accept");
    await Promise.all([other.hears("first"), other.hears("second"), author.hears("second")]);
    await node.network.publish("last");
    await Promise.all(neighbours.map((one) => one.hears("last")));
    const heard = neighbours.map((one) => one.heard.filter((text) => !text.startsWith("hello")).toSorted());
    assert.deepEqual(heard, [["last", "second"], ["last"], ["first", "last", "second"]]);
  });
});
