import { randomBytes } from "node:crypto";
import { createEvmAccount } from "@twentysix/sdk";
import type { Cluster } from "./cluster.ts";

const SHARED_POSTS = 20;

/**
 * Messages of one account that all sides write with: posts, amends of the same posts on both sides, fields of one
 * aggregate that both sides set, and posts that one side forgets while the other amends them.
 */
export class Writes {
  readonly #cluster: Cluster;
  readonly #account = createEvmAccount({ privateKey: randomBytes(32) });
  #shared: readonly string[] = [];
  #written = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Messages that a node has taken. */
  get count(): number {
    return this.#written;
  }

  /** What both sides change later. */
  async begin(): Promise<void> {
    const account = this.#account;
    const shared: string[] = [];
    for (let index = 0; index < SHARED_POSTS; index += 1) {
      const client = this.#cluster.client(index % this.#cluster.size);
      const post = await client.createPost({ account, type: "partition", content: { index }, sync: true });
      shared.push(post.itemHash);
      this.#written += 1;
    }
    this.#shared = shared;
  }

  /** Writes to these nodes in turn, so many messages a second, until it is told to stop. */
  async onSide(nodes: readonly number[], perSecond: number, signal: AbortSignal): Promise<void> {
    const startedMs = performance.now();
    for (let number = 0; !signal.aborted; number += 1) {
      const waitMs = startedMs + (number * 1_000) / perSecond - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (signal.aborted) return;
      await this.#writeOne(nodes, number);
      this.#written += 1;
    }
  }

  async #writeOne(nodes: readonly number[], number: number): Promise<void> {
    const account = this.#account;
    const at = nodes[number % nodes.length] ?? 0;
    const client = this.#cluster.client(at);
    const content = { at, number };
    const [doomed = "", ...kept] = this.#shared;
    const forgets = nodes.includes(0);
    // Where it is forgotten nobody can amend it any more; the other side does not know.
    const target = kept[number % kept.length] ?? "";
    if (number === 7 && forgets) await client.forget({ account, itemHashes: [doomed] });
    else if (number % 4 === 1)
      await client.createAggregate({ account, key: "partition", content: { [`f${number % 9}`]: at } });
    else if (number % 4 === 2)
      await client.amendPost({
        account,
        originalHash: forgets || number % 8 === 2 ? target : doomed,
        content,
      });
    else await client.createPost({ account, type: "partition", content });
  }
}
