import { randomBytes } from "node:crypto";
import type { Stream } from "@libp2p/interface";
import { frameOf } from "@twentysix/network";
import { ByteWriter, encodeLeaves } from "@twentysix/network/reconcile";
import { GOSSIP_PROTOCOL, gossipFrame, rawPeer } from "../../../packages/network/test/support/raw-peer.ts";
import { push, type Target, underNames } from "./attack.ts";

const PIECE = randomBytes(256 * 1024);
const CLAIMED_BYTES = 1024 ** 3;
const LEAVES = 1_000;
/** A name is used for so long: then its faults are forgotten with it. */
const NAME_MS = 3_000;

async function pour(stream: Stream, target: Target, pieces: () => Iterable<Uint8Array>): Promise<void> {
  while (stream.status === "open")
    for (const piece of pieces()) {
      await push(stream, piece);
      target.count(piece.byteLength);
    }
}

/** What breaks is the stream, which the attacker does not mind. */
const unminded = (work: Promise<void>): void => void work.catch(() => undefined);

/** Says that it has every file, the largest that there may be, and sends noise. */
export async function wrongBytes(target: Target): Promise<void> {
  const head = frameOf(Buffer.from(JSON.stringify({ state: "found", form: "bytes", size: CLAIMED_BYTES })));
  const answer = (stream: Stream): void => {
    stream.addEventListener("message", () => undefined);
    stream.send(head);
    unminded(pour(stream, target, () => [frameOf(PIECE)]));
  };
  await target.ready();
  await underNames(target, async () => {
    await using _peer = await rawPeer(target.address, { "/twentysix/content/1.0.0": answer });
    await new Promise((resolve) => setTimeout(resolve, NAME_MS));
  });
}

/** Has more messages than there can be, a log that never ends, ranges that split without end, and bodies of noise. */
export async function endlessAnswers(target: Target): Promise<void> {
  const hex = (bytes: number): string => randomBytes(bytes).toString("hex");
  const figures = {
    count: 1_000_000_000,
    root: hex(32),
    treeSeq: 1,
    lastSeq: 1_000_000_000,
    isSyncing: false,
  };
  const welcome = Buffer.from(JSON.stringify({ ...target.identity, ...figures }));
  const last = (payload: Uint8Array): Uint8Array => frameOf(Buffer.concat([Uint8Array.of(0), payload]));
  const more = (payload: Uint8Array): Uint8Array => frameOf(Buffer.concat([Uint8Array.of(1), payload]));
  const answer = (stream: Stream): void => {
    let seq = 0;
    let isFirst = true;
    stream.addEventListener("message", ({ data }) => {
      const kind = isFirst ? 1 : data.subarray()[4];
      isFirst = false;
      if (kind === 1) stream.send(last(welcome));
      else if (kind === 4) {
        seq += LEAVES;
        const leaves = Array.from({ length: LEAVES }, () => ({ key: hex(32), digest: hex(32) }));
        const part = new ByteWriter().u64(seq).u8(0).bytes(encodeLeaves(leaves)).finish();
        target.count(part.byteLength);
        stream.send(last(part));
      } else unminded(pour(stream, target, () => [more(Buffer.from(`{"message":"${hex(100_000)}"}\n`))]));
    });
  };
  const gossip = (stream: Stream): void => {
    stream.addEventListener("message", () => undefined);
    stream.send(gossipFrame({ subscriptions: [] }));
  };
  await target.ready();
  await underNames(target, async () => {
    const answers = { "/twentysix/sync/1.0.0": answer, [GOSSIP_PROTOCOL]: gossip };
    await using _peer = await rawPeer(target.address, answers);
    await new Promise((resolve) => setTimeout(resolve, NAME_MS));
  });
}
