import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { generateKeyPair } from "@libp2p/crypto/keys";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { messageIdOf, type PeerKey } from "../src/index.ts";
import {
  type ForeignEvent,
  type ForeignPeer,
  foreignPeer,
  foreignPeerMissing,
} from "./support/foreign-peer.ts";
import { connected, type TestPeer, TOPICS, testPeer } from "./support/test-network.ts";

/** Longer than three rounds of pings. */
const THREE_PINGS_MS = 10_000;
const MAX_FRAME_BYTES = 262_144;

async function keyOf(kind: "RSA" | "Ed25519"): Promise<PeerKey> {
  const privateKey = kind === "RSA" ? await generateKeyPair("RSA", 2_048) : await generateKeyPair("Ed25519");
  return { privateKey, peerId: peerIdFromPrivateKey(privateKey).toString() };
}

const idOf = (text: string): string => new TextDecoder().decode(messageIdOf(new TextEncoder().encode(text)));

/** Resolves when each knows that the other wants messages. */
async function met(ours: TestPeer, foreign: ForeignPeer): Promise<void> {
  const { peerId } = ours.network;
  await foreign.event(
    ({ event, peer, topic }) => event === "subscribed" && peer === peerId && topic === TOPICS.messages,
  );
}

async function exchange(ours: TestPeer, foreign: ForeignPeer, name: string): Promise<void> {
  const back = `{"from":"${name}"}`;
  const [id] = await Promise.all([foreign.publish(back), ours.hears(back)]);
  assert.equal(id, idOf(back));
  const out = await publishUntilTaken(ours, name);
  const heard = await foreign.hears(out);
  assert.deepEqual([heard.author, heard.id], [ours.network.peerId, idOf(out)]);
}

/** A stream that has just ended is opened anew at once, which is not yet now. */
async function publishUntilTaken(ours: TestPeer, name: string): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    const text = `{"to":"${name}","attempt":${attempt}}`;
    if ((await ours.network.publish(text)).recipients > 0) return text;
    await sleep(20);
  }
}

describe("a peer of rust-libp2p", { timeout: 240_000, skip: foreignPeerMissing() }, () => {
  test("exchanges messages both ways with either kind of key, whoever calls, and gives them the same ids", async () => {
    for (const kind of ["RSA", "Ed25519"] as const) {
      const key = await keyOf(kind);
      await using foreign = await foreignPeer();
      await using calling = await testPeer({ key, bootstrap: [foreign.address] });
      await met(calling, foreign);
      await exchange(calling, foreign, `${kind} calls`);
      await using called = await testPeer({ key: await keyOf(kind) });
      foreign.dial(called.address);
      await met(called, foreign);
      await exchange(called, foreign, `${kind} is called`);
    }
  });

  test("stays connected though it knows neither identify nor ping", async () => {
    await using foreign = await foreignPeer();
    await using ours = await testPeer({ bootstrap: [foreign.address] });
    await met(ours, foreign);
    const gone = foreign.event(({ event }) => event === "disconnected").then(({ problem }) => problem);
    const stayed = new Promise((resolve) => setTimeout(() => resolve("stayed"), THREE_PINGS_MS));
    assert.equal(await Promise.race([gone, stayed]), "stayed");
    await exchange(ours, foreign, "later");
  });

  test("gets and gives by IHAVE and IWANT what the mesh does not bring", async () => {
    await using full = await foreignPeer({ isMeshOfOne: true });
    await using far = await foreignPeer();
    far.dial(full.address);
    await full.meshOf(far.peerId);
    await using ours = await testPeer({ bootstrap: [full.address] });
    await met(ours, full);
    await using farther = await testPeer({ bootstrap: [ours.address] });
    await connected(farther, 1);
    await Promise.all([far.publish("from afar"), ours.hears("from afar")]);
    // Four of these would not fit into one frame.
    const texts = Array.from({ length: 4 }, (_, index) => `${index}`.repeat(90_000));
    for (const text of texts) await farther.network.publish(text);
    await Promise.all(texts.map((text) => full.hears(text)));
    const { mesh, metrics = "" } = await full.state();
    assert.deepEqual(mesh, [far.peerId]);
    assert.match(metrics, /topic_iwant_msgs_total\{[^}]*\} [1-9]/, "it had to ask");
  });

  test("may have several connections, and lose the one that was used", async () => {
    await using foreign = await foreignPeer({ isMeshOfOne: true, idleMs: 3_000 });
    // Whoever is in its mesh keeps its connection.
    await using other = await foreignPeer();
    other.dial(foreign.address);
    await foreign.meshOf(other.peerId);
    await using ours = await testPeer({ bootstrap: [foreign.address] });
    const { peerId } = ours.network;
    await met(ours, foreign);
    const count = (event: string, left: number) => (one: ForeignEvent) =>
      one.event === event && one.peer === peerId && one.count === left;
    const second = foreign.next(count("connected", 2));
    foreign.dial(ours.address);
    await second;
    await exchange(ours, foreign, "two connections");
    // The one without traffic goes first.
    await foreign.next(count("disconnected", 1));
    await exchange(ours, foreign, "the one that was used");
    const isGone = foreign.next(count("disconnected", 1));
    const third = foreign.next(count("connected", 2));
    // Made as late as that, it outlives the one that was used.
    setTimeout(() => foreign.dial(ours.address), 500);
    await third;
    await isGone;
    await exchange(ours, foreign, "the other one");
  });

  test("that sends frames which are too long, or no protobuf, harms nobody", async () => {
    await using foreign = await foreignPeer();
    await using liar = await foreignPeer();
    await using ours = await testPeer({ bootstrap: [foreign.address] });
    await met(ours, foreign);
    await liar.raw(ours.address, frame(new Uint8Array(MAX_FRAME_BYTES + 1)));
    await liar.raw(ours.address, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f));
    const malformed = liar.raw(ours.address, frame(Uint8Array.of(0x12, 0xff, 0xff, 0x03, 0x01)));
    await exchange(ours, foreign, "undisturbed");
    await ours.network.close();
    await malformed;
  });
});

function frame(bytes: Uint8Array): Uint8Array {
  const length: number[] = [];
  for (let rest = bytes.byteLength; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Uint8Array.from(length), bytes]);
}
