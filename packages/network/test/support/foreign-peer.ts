import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { loadPeerKey } from "../../src/index.ts";
import { TOPICS } from "./test-network.ts";

/** A reason not to run the tests that need it; false when they can. */
export const foreignPeerMissing = (): string | false =>
  process.env.TWENTYSIX_TEST_RUST_PEER === undefined &&
  "TWENTYSIX_TEST_RUST_PEER names no peer of rust-libp2p";

/** What a foreign peer tells; which keys are there depends on the event. */
export interface ForeignEvent {
  readonly event: string;
  readonly peer?: string;
  readonly topic?: string;
  readonly address?: string;
  readonly count?: number;
  readonly data?: string;
  readonly author?: string;
  readonly id?: string;
  readonly problem?: string | null;
  readonly mesh?: readonly string[];
  readonly metrics?: string;
}

/** A peer of another implementation in a process of its own (`peers-rust`). */
export interface ForeignPeer extends AsyncDisposable {
  readonly peerId: string;
  readonly address: string;
  /** The first event so far, or to come, that is meant. */
  event(isMeant: (event: ForeignEvent) => boolean): Promise<ForeignEvent>;
  /** The next event that is meant. */
  next(isMeant: (event: ForeignEvent) => boolean): Promise<ForeignEvent>;
  /** Connects once more, connected or not. */
  dial(address: string): void;
  /** Resolves with the id that it gives the message. */
  publish(text: string): Promise<string>;
  /** Resolves once it has received a text, with what it tells of it. */
  hears(text: string): Promise<ForeignEvent>;
  state(): Promise<ForeignEvent>;
  /** Resolves once its mesh is of these peers. */
  meshOf(...peerIds: readonly string[]): Promise<void>;
  /** Writes bytes on a gossip stream of a connection of its own; resolves when that has ended. */
  raw(address: string, bytes: Uint8Array): Promise<void>;
}

export interface ForeignPeerOptions {
  /** It takes one peer that calls it into its mesh: what it passes on to others goes by IHAVE and IWANT alone. */
  readonly isMeshOfOne?: boolean;
  /** A connection without traffic is closed after so long. */
  readonly idleMs?: number;
}

export async function foreignPeer({ isMeshOfOne, idleMs }: ForeignPeerOptions = {}): Promise<ForeignPeer> {
  const folder = await mkdtemp(join(tmpdir(), "twentysix-foreign-"));
  const { peerId } = await loadPeerKey(folder, "rsa");
  const args = [join(folder, "node-secret.pkcs8.der"), `${TOPICS.messages},${TOPICS.alive}`];
  if (isMeshOfOne === true) args.push("--mesh-of-one");
  if (idleMs !== undefined) args.push("--idle-ms", String(idleMs));
  const child = spawn(process.env.TWENTYSIX_TEST_RUST_PEER ?? "", args, {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const events = new Events();
  createInterface({ input: child.stdout }).on("line", (line) => events.push(JSON.parse(line)));
  const command = (fields: object): void => void child.stdin.write(`${JSON.stringify(fields)}\n`);
  const { address = "" } = await events.first(({ event }) => event === "listening");
  const state = async (): Promise<ForeignEvent> => {
    const answer = events.next("state");
    command({ do: "state", topic: TOPICS.messages });
    return await answer;
  };
  return {
    peerId,
    address,
    state,
    async meshOf(...peerIds) {
      while (String((await state()).mesh?.toSorted()) !== String(peerIds.toSorted())) await sleep(20);
    },
    event: (isMeant) => events.first(isMeant),
    next: (isMeant) => events.coming(isMeant),
    dial: (to) => command({ do: "dial", address: to }),
    async publish(text) {
      const answer = events.next("published");
      command({ do: "publish", topic: TOPICS.messages, data: Buffer.from(text).toString("base64") });
      const { id, problem } = await answer;
      if (id === undefined) throw new Error(`not published: ${problem}`);
      return id;
    },
    hears: (text) => {
      const data = Buffer.from(text).toString("base64");
      return events.first((one) => one.event === "message" && one.data === data);
    },
    async raw(to, bytes) {
      const answer = events.next("raw");
      command({ do: "raw", address: to, data: Buffer.from(bytes).toString("base64") });
      await answer;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

/** Events as they come, all of which are kept. */
class Events {
  readonly #all: ForeignEvent[] = [];
  readonly #waiting = new Set<(event: ForeignEvent) => void>();

  push(event: ForeignEvent): void {
    this.#all.push(event);
    for (const tell of this.#waiting) tell(event);
  }

  async first(isMeant: (event: ForeignEvent) => boolean): Promise<ForeignEvent> {
    return this.#all.find(isMeant) ?? (await this.coming(isMeant));
  }

  next(name: string): Promise<ForeignEvent> {
    return this.coming(({ event }) => event === name);
  }

  coming(isMeant: (event: ForeignEvent) => boolean): Promise<ForeignEvent> {
    return new Promise((resolve) => {
      const tell = (event: ForeignEvent): void => {
        if (!isMeant(event)) return;
        this.#waiting.delete(tell);
        resolve(event);
      };
      this.#waiting.add(tell);
    });
  }
}
