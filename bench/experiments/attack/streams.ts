import { randomBytes } from "node:crypto";
import type { Stream } from "@libp2p/interface";
import { frameOf } from "@twentysix/network";
import { encodeKeys } from "@twentysix/network/reconcile";
import { prefixed, rawPeer } from "../../../packages/network/test/support/raw-peer.ts";
import { again, push, type Target, underNames } from "./attack.ts";

const PROTOCOLS = [
  "/meshsub/1.1.0",
  "/ipfs/ping/1.0.0",
  "/ipfs/id/1.0.0",
  "/ipfs/id/push/1.0.0",
  "/twentysix/sync/1.0.0",
  "/twentysix/content/1.0.0",
  "/twentysix/proof/1.0.0",
  "/twentysix/dial-back/1.0.0",
];
const HANGING = 2_000;
const AT_ONCE = 8;
const VISITS = 2;
const KEYS = 1_000;

/** Half of a question, and then nothing. */
export async function hangingStreams(target: Target): Promise<void> {
  await target.ready();
  await underNames(target, async () => {
    await using peer = await rawPeer(target.address);
    const streams: Stream[] = [];
    for (let index = 0; ; index += 1) {
      if (streams.length >= HANGING) await new Promise((resolve) => setTimeout(resolve, 100));
      try {
        const stream = await peer.open(PROTOCOLS[index % PROTOCOLS.length] ?? "");
        stream.send(Uint8Array.of(0, 0));
        streams.push(stream);
        target.count(2);
      } catch (error) {
        if (peer.connection.status !== "open") throw error;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  });
}

export async function emptyStreams(target: Target): Promise<void> {
  await target.ready();
  await underNames(target, async () => {
    await using peer = await rawPeer(target.address);
    const turns = Array.from({ length: AT_ONCE }, async (_one, index) => {
      while (peer.connection.status === "open") {
        const stream = await peer.open(PROTOCOLS[index % PROTOCOLS.length] ?? "");
        target.count(0);
        stream.abort(new Error("enough"));
      }
    });
    await Promise.all(turns);
  });
}

/** Identify push: every one of them is read, checked and written into the store of peers. */
export async function identifyPushes(target: Target): Promise<void> {
  const field = (number: number, bytes: Uint8Array): Uint8Array =>
    Buffer.concat([Uint8Array.of((number << 3) | 2), prefixed(bytes)]);
  const protocols = (): Uint8Array =>
    Buffer.concat(
      Array.from({ length: 100 }, () => field(3, Buffer.from(`/${randomBytes(16).toString("hex")}/1.0.0`))),
    );
  await target.ready();
  await underNames(target, async () => {
    await using peer = await rawPeer(target.address);
    while (peer.connection.status === "open") {
      const stream = await peer.open("/ipfs/id/push/1.0.0");
      const bytes = prefixed(protocols());
      stream.send(bytes);
      target.count(bytes.byteLength);
      await stream.close();
    }
  });
}

/** Under each name as many visits as it may have, each with the dearest questions. */
export async function hammeredVisits(target: Target): Promise<void> {
  const hello = Buffer.concat([
    Uint8Array.of(1),
    randomBytes(16),
    Buffer.from(JSON.stringify(target.identity)),
  ]);
  const log = Buffer.alloc(11);
  log[0] = 4;
  log.writeUInt16BE(1_024, 9);
  const keys = Array.from({ length: KEYS }, () => randomBytes(32).toString("hex"));
  const digests = Buffer.concat([Uint8Array.of(5), encodeKeys(keys)]);
  await target.ready();
  await underNames(target, async () => {
    await using peer = await rawPeer(target.address);
    const visits = Array.from({ length: VISITS }, () =>
      again(async () => {
        if (peer.connection.status !== "open") throw new Error("the node hung up");
        const stream = await peer.open("/twentysix/sync/1.0.0");
        stream.addEventListener("message", ({ data }) => target.count(data.byteLength));
        stream.send(frameOf(hello));
        while (stream.status === "open")
          for (const question of [log, digests]) await push(stream, frameOf(question));
      }),
    );
    await Promise.race([
      ...visits,
      new Promise((resolve) => peer.connection.addEventListener("close", resolve)),
    ]);
  });
}

export async function hammeredContent(target: Target): Promise<void> {
  const question = frameOf(Buffer.from(JSON.stringify({ hash: target.fileHash, offset: 0 })));
  await target.ready();
  await underNames(target, async () => {
    await using peer = await rawPeer(target.address);
    const turns = Array.from({ length: AT_ONCE }, async () => {
      while (peer.connection.status === "open") {
        const stream = await peer.open("/twentysix/content/1.0.0");
        const ended = new Promise((resolve) => stream.addEventListener("close", resolve));
        stream.addEventListener("message", ({ data }) => target.count(data.byteLength));
        stream.send(question);
        await stream.close();
        await ended;
      }
    });
    await Promise.all(turns);
  });
}
