import { createHash, randomBytes } from "node:crypto";
import { createEvmAccount } from "@twentysix/protocol";
import { createNodeSecp256k1Signer } from "@twentysix/protocol/node";
import {
  GOSSIP_PROTOCOL,
  gossipFrame,
  prefixed,
  type RawPeer,
  rawPeer,
} from "../../../packages/network/test/support/raw-peer.ts";
import { signedPost } from "../../funds.ts";
import { push, type Target, underNames } from "./attack.ts";

const PREPARED = 20_000;
const A_SENDER_HAS = 50;
const OVERSIZE_BYTES = 300_000;
const IDS = 5_000;

/** One that takes part in gossip, so that nobody can tell it from a node. */
async function gossiper({ address, topic }: Target): Promise<RawPeer> {
  return await rawPeer(address, {
    [GOSSIP_PROTOCOL]: (stream) => {
      stream.addEventListener("message", () => undefined);
      stream.send(gossipFrame({ subscriptions: [{ subscribe: true, topic }] }));
    },
  });
}

/** Sends frames on one stream under each name, until the node has enough; then anew. */
async function flood(
  target: Target,
  frames: (peer: RawPeer) => Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  await target.ready();
  await underNames(target, async () => {
    await using peer = await gossiper(target);
    const stream = await peer.open(GOSSIP_PROTOCOL);
    stream.send(gossipFrame({ subscriptions: [{ subscribe: true, topic: target.topic }] }));
    for await (const frame of frames(peer)) {
      await push(stream, frame);
      target.count(frame.byteLength);
    }
  });
}

const text = new TextEncoder();

function* endless(frame: () => Uint8Array): Generator<Uint8Array> {
  for (;;) yield frame();
}

async function* signedBy(peer: RawPeer, topic: string, datas: Iterable<string>): AsyncGenerator<Uint8Array> {
  for (const data of datas) yield gossipFrame({ messages: [await peer.signed(topic, text.encode(data))] });
}

async function posts(
  spoil: (message: string, index: number) => string = (message) => message,
): Promise<string[]> {
  const signer = createNodeSecp256k1Signer();
  const messages: string[] = [];
  let account = createEvmAccount({ privateKey: randomBytes(32), signer });
  for (let index = 0; index < PREPARED; index += 1) {
    if (index % A_SENDER_HAS === 0) account = createEvmAccount({ privateKey: randomBytes(32), signer });
    const content = { type: "spam", content: { index, text: "buy ".repeat(50) } };
    messages.push(spoil(await signedPost(account, content, 1_700_000_000 + index, "SPAM"), index));
  }
  return messages;
}

/** Messages that were not used up, whatever breaks. */
function* shared(messages: readonly string[]): Generator<string> {
  for (let lap = 0; ; lap += 1) for (const message of messages) yield message + " ".repeat(lap);
}

export async function spam(target: Target): Promise<void> {
  const messages = shared(await posts());
  await flood(target, (peer) => signedBy(peer, target.topic, unending(messages)));
}

export async function invalidSignatures(target: Target): Promise<void> {
  const messages = shared(
    await posts((message, index) => {
      const other = createHash("sha256").update(String(index)).digest("hex");
      return message.replace(
        /"signature":"0x(.{64})/,
        (_all, r: string) => `"signature":"0x${r.slice(0, 2)}${other.slice(2)}`,
      );
    }),
  );
  await flood(target, (peer) => signedBy(peer, target.topic, unending(messages)));
}

/** A generator that goes on for the next one, where `for` would end it. */
function unending<T>(source: Iterator<T>): Iterable<T> {
  return { [Symbol.iterator]: () => ({ next: () => source.next() }) };
}

export async function garbage(target: Target): Promise<void> {
  function* datas(): Generator<string> {
    for (;;) yield randomBytes(300).toString("hex");
  }
  await flood(target, (peer) => signedBy(peer, target.topic, datas()));
}

export async function replays(target: Target): Promise<void> {
  const [message = ""] = (await posts()).slice(0, 1);
  let blanks = 0;
  function* datas(): Generator<string> {
    for (;;) {
      blanks = (blanks + 1) % 50_000;
      yield message + " ".repeat(blanks);
    }
  }
  await flood(target, (peer) => signedBy(peer, target.topic, datas()));
}

export async function oversize(target: Target): Promise<void> {
  const frame = prefixed(randomBytes(OVERSIZE_BYTES));
  await target.ready();
  await underNames(target, async () => {
    await using peer = await gossiper(target);
    for (;;) {
      const stream = await peer.open(GOSSIP_PROTOCOL);
      await push(stream, frame);
      target.count(frame.byteLength);
    }
  });
}

export async function malformed(target: Target): Promise<void> {
  const frame = prefixed(Buffer.concat([Uint8Array.of(0x12, 0xff, 0xff, 0x03), randomBytes(200)]));
  await flood(target, () => endless(() => frame));
}

export async function announcedIds({ topic, ...target }: Target): Promise<void> {
  const frame = (): Uint8Array => {
    const messageIDs = Array.from({ length: IDS }, () =>
      text.encode(randomBytes(8).readBigUInt64LE().toString()),
    );
    const none = { iwant: [], graft: [], prune: [], idontwant: [] };
    return gossipFrame({ control: { ...none, ihave: [{ topicID: topic, messageIDs }] } });
  };
  await flood({ topic, ...target }, () => endless(frame));
}

export async function graftFlood({ topic, ...target }: Target): Promise<void> {
  const none = { ihave: [], iwant: [], idontwant: [] };
  const frame = gossipFrame({
    control: { ...none, graft: [{ topicID: topic }], prune: [{ topicID: topic, peers: [], backoff: 1 }] },
  });
  await flood({ topic, ...target }, () => endless(() => frame));
}
