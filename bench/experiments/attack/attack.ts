import type { Stream } from "@libp2p/interface";
import { drained } from "../../../packages/network/test/support/raw-peer.ts";

/** Whom an attacker has before it, and what it may know. */
export interface Target {
  /** Multiaddress with the name of the peer. */
  readonly address: string;
  readonly topic: string;
  /** A file that the node holds. */
  readonly fileHash: string;
  /** Names of peers that the attacker goes by at once. */
  readonly names: number;
  /** Who the node takes for one of its network on a visit. */
  readonly identity: Readonly<Record<string, unknown>>;
  /** Told of everything that it got rid of. */
  readonly count: (bytes: number) => void;
  /** What the attacker has prepared goes off from here on. */
  readonly ready: () => Promise<void>;
}

export interface Attack {
  readonly what: string;
  /** Runs until the process is killed. */
  readonly run: (target: Target) => Promise<void>;
}

/** Whatever the node does to it, it goes on. */
export async function again(task: () => Promise<void>): Promise<never> {
  for (;;) {
    try {
      await task();
    } catch (error) {
      if (process.env.TWENTYSIX_BENCH_LOUD !== undefined) process.stderr.write(`${String(error)}\n`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The same under several names at once. */
export async function underNames({ names }: Target, task: (index: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: names }, (_one, index) => again(() => task(index))));
}

const TURN = 16;
let pushed = 0;

/** Sends as fast as the node takes it, with turns of the event loop in between. */
export async function push(stream: Stream, bytes: Uint8Array): Promise<void> {
  if (!stream.send(bytes)) await drained(stream);
  pushed += 1;
  if (pushed % TURN === 0) await new Promise((resolve) => setImmediate(resolve));
}
