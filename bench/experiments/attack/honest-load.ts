import { randomBytes } from "node:crypto";
import { createEvmAccount, type LocalAccount } from "@twentysix/protocol";
import { createNodeSecp256k1Signer } from "@twentysix/protocol/node";
import { quantile } from "../../figures.ts";
import { signedPost } from "../../funds.ts";
import type { StartedNode } from "../../processes.ts";

/** What honest people do meanwhile, each second. */
const POSTS_PER_SECOND = 10;
const GETS_PER_SECOND = 40;
const PEER_POSTS_PER_SECOND = 10;
/** What is not there by then counts as lost. */
const PATIENCE_MS = 15_000;

export interface HonestFigures {
  readonly postMs: Latencies;
  readonly getMs: Latencies;
  /** From a POST at another node until this one serves it. */
  readonly gossipMs: Latencies;
}

export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
}

/** Clients of the node, and messages that reach it from its honest peers. */
export class HonestLoad {
  readonly #node: StartedNode;
  readonly #peer: StartedNode;
  readonly #account: LocalAccount;
  readonly #servedMs = new Map<string, number>();
  readonly #socket: WebSocket;
  #known = "";
  #time = Math.floor(Date.now() / 1_000);

  private constructor(node: StartedNode, peer: StartedNode, socket: WebSocket) {
    this.#node = node;
    this.#peer = peer;
    this.#socket = socket;
    this.#account = createEvmAccount({ privateKey: randomBytes(32), signer: createNodeSecp256k1Signer() });
  }

  static async begin(node: StartedNode, peer: StartedNode): Promise<HonestLoad> {
    const socket = new WebSocket(
      `${node.apiUrl.replace("http", "ws")}/api/ws0/messages?history=0&channels=HONEST`,
    );
    const load = new HonestLoad(node, peer, socket);
    socket.addEventListener("message", ({ data }) => {
      const { item_hash: hash } = JSON.parse(String(data)) as { readonly item_hash?: string };
      if (hash !== undefined) load.#servedMs.set(hash, performance.now());
    });
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", reject, { once: true });
    });
    const first = await load.#message();
    await postTo(node, first.text, true);
    load.#known = first.hash;
    return load;
  }

  /** The load for so long, and what came of it. */
  async measure(seconds: number): Promise<HonestFigures> {
    const [posts, gets, sent] = await Promise.all([
      atRate(POSTS_PER_SECOND, seconds, async () =>
        timed(async () => postTo(this.#node, (await this.#message()).text, true)),
      ),
      atRate(GETS_PER_SECOND, seconds, () => timed(() => getFrom(this.#node, this.#known))),
      atRate(PEER_POSTS_PER_SECOND, seconds, async () => {
        const { hash, text } = await this.#message();
        const atMs = performance.now();
        await postTo(this.#peer, text, false);
        return { hash, atMs };
      }),
    ]);
    return {
      postMs: latencies(posts),
      getMs: latencies(gets),
      gossipMs: latencies(await this.#arrivals(sent)),
    };
  }

  close(): void {
    this.#socket.close();
  }

  async #arrivals(
    sent: readonly { readonly hash: string; readonly atMs: number }[],
  ): Promise<(number | null)[]> {
    const untilMs = performance.now() + PATIENCE_MS;
    while (performance.now() < untilMs && sent.some(({ hash }) => !this.#servedMs.has(hash)))
      await new Promise((resolve) => setTimeout(resolve, 20));
    return sent.map(({ hash, atMs }) => {
      const servedMs = this.#servedMs.get(hash);
      return servedMs === undefined ? null : servedMs - atMs;
    });
  }

  async #message(): Promise<{ readonly hash: string; readonly text: string }> {
    this.#time += 0.001;
    const text = await signedPost(this.#account, { type: "honest", content: {} }, this.#time, "HONEST");
    return { text, hash: (JSON.parse(text) as { readonly item_hash: string }).item_hash };
  }
}

async function postTo({ apiUrl }: StartedNode, message: string, sync: boolean): Promise<void> {
  const headers = { "content-type": "application/json" };
  const body = `{"sync":${sync},"message":${message}}`;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const response = await fetch(`${apiUrl}/api/v0/messages`, { method: "POST", headers, body, signal });
  if (response.status !== 200 && response.status !== 202) throw new Error(`a message got ${response.status}`);
  await response.arrayBuffer();
}

async function getFrom({ apiUrl }: StartedNode, hash: string): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const response = await fetch(`${apiUrl}/api/v0/messages/${hash}`, { signal });
  if (response.status !== 200) throw new Error(`a message is answered with ${response.status}`);
  await response.arrayBuffer();
}

/** null: it failed. */
async function timed(work: () => Promise<void>): Promise<number | null> {
  const startedMs = performance.now();
  try {
    await work();
    return performance.now() - startedMs;
  } catch {
    return null;
  }
}

/** Begins work at an even rate, whatever becomes of what was begun. */
async function atRate<T>(perSecond: number, seconds: number, work: () => Promise<T>): Promise<T[]> {
  const startedMs = performance.now();
  const begun: Promise<T>[] = [];
  for (let index = 0; index < perSecond * seconds; index += 1) {
    const waitMs = startedMs + (index * 1_000) / perSecond - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    begun.push(work());
  }
  return await Promise.all(begun);
}

function latencies(all: readonly (number | null)[]): Latencies {
  const known = all.filter((one) => one !== null);
  return { p50: quantile(known, 0.5), p99: quantile(known, 0.99), failed: all.length - known.length };
}
