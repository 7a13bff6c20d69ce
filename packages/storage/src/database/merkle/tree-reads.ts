import { encodeHex, encodeItemHash } from "@twentysix/protocol";
import { EVENT_CODE, STATUS_CODE, STATUSES, type Status } from "../codes.ts";
import type { SqlConnection } from "../sql/connection.ts";
import {
  BUCKET_SIZE,
  type MerkleNode,
  type ReadLeaves,
  rangeOf,
  readNode,
  readNodes,
} from "./merkle-tree.ts";
import { MESSAGES, TREE_WATERMARK } from "./state-tree.ts";
import { messageLeaves } from "./tree-leaves.ts";

/** A message of the state: its key (the encoded item hash) and the digest of its leaf, in lower-case hexadecimal. */
export interface TreeLeaf {
  readonly key: string;
  readonly digest: string;
}

/** What stands in a range of the messages tree. */
export type TreeRange =
  | { readonly kind: "none" }
  /** Sixteen digests; null where there is nothing. */
  | { readonly kind: "inner"; readonly children: readonly (Uint8Array | null)[] }
  | { readonly kind: "leaves"; readonly leaves: readonly TreeLeaf[] }
  /** Messages poured in that the tree does not sum up yet. */
  | { readonly kind: "unready" };

/** How far the messages tree goes, and what came after it. */
export interface TreeState {
  /** Messages accepted or forgotten, as the tree has them. */
  readonly count: number;
  /** Digest of the whole tree, lower-case hexadecimal. */
  readonly root: string;
  /** The event up to which everything is in the tree. */
  readonly treeSeq: number;
  readonly lastSeq: number;
}

/** Part of the event log: messages that became, or stopped being, visible. */
export interface LogPart {
  readonly leaves: readonly TreeLeaf[];
  /** To go on after. */
  readonly nextSeq: number;
  readonly isEnd: boolean;
}

/** Events looked at for one part of the log: not all are of the kinds that count. */
const EVENTS_A_LEAF = 4;

/**
 * Reads of the messages tree for comparing it with another node's. The leaves are those of the last commit; digests of
 * ranges may lag behind them while messages pour in, and are never ahead.
 */
export class TreeReads {
  readonly #connection: SqlConnection;
  readonly #readLeaves: ReadLeaves;
  readonly #maxLeaves: number;

  /** @param maxLeaves of one range that are told one by one; more are told when the tree sums them up */
  constructor(connection: SqlConnection, maxLeaves: number) {
    this.#connection = connection;
    this.#maxLeaves = maxLeaves;
    this.#readLeaves = messageLeaves(connection);
  }

  state(): TreeState {
    const root = readNode(this.#connection, MESSAGES, []);
    const watermark = this.#connection.get<{ value: string }>(
      "SELECT value FROM meta WHERE key = ?",
      TREE_WATERMARK,
    );
    return {
      count: root?.count ?? 0,
      root: root === null ? "" : encodeHex(root.digest),
      treeSeq: watermark === undefined ? 0 : Number(watermark.value),
      lastSeq: this.#lastSeq(),
    };
  }

  /** What stands in each range; a prefix is in lower-case hexadecimal digits, one a half-byte. */
  ranges(prefixes: readonly string[]): readonly TreeRange[] {
    const found: TreeRange[] = [];
    this.#connection.together(
      prefixes.map((prefix, index) => () => {
        found[index] = this.#range(nibblesOf(prefix));
      }),
    );
    return found;
  }

  /** The leaves of each range, at most so many of each. */
  leavesWithin(prefixes: readonly string[]): readonly (readonly TreeLeaf[])[] {
    const found: TreeLeaf[][] = [];
    this.#connection.together(
      prefixes.map((prefix, index) => () => {
        const { from, to } = rangeOf(nibblesOf(prefix));
        found[index] = leavesOf(this.#readLeaves(from, to, this.#maxLeaves).bytes);
      }),
    );
    return found;
  }

  /** The digest under each key; null where nothing is accepted or forgotten. */
  digests(keys: readonly string[]): readonly (string | null)[] {
    return this.#ofEach(keys, "leaf", (value: Uint8Array | null) =>
      value === null ? null : encodeHex(value),
    );
  }

  /** The status of each item hash; null where it is unknown. */
  statuses(itemHashes: readonly string[]): readonly (Status | null)[] {
    const keys = itemHashes.map((hash) => encodeHex(encodeItemHash(hash)));
    return this.#ofEach(keys, "status", (value: number) => STATUSES[value] ?? null);
  }

  /**
   * Messages in the order in which they were processed, each with its digest of now; a forgotten one stands where it
   * was forgotten, since nothing but that is left to tell of it.
   */
  log(afterSeq: number, limit: number): LogPart {
    const rows = this.#connection.all<{ seq: number; hash: Uint8Array | null; leaf: Uint8Array | null }>(
      `SELECT e.seq, i.leaf, CASE e.kind WHEN ${EVENT_CODE.processed} THEN CASE WHEN i.status <> ${STATUS_CODE.forgotten} THEN i.hash END
         WHEN ${EVENT_CODE.forgotten} THEN i.hash END AS hash
       FROM (SELECT seq, item_id, kind FROM events WHERE seq > ? ORDER BY seq LIMIT ?) e
       JOIN items i ON i.id = e.item_id ORDER BY e.seq`,
      afterSeq,
      limit * EVENTS_A_LEAF,
    );
    const leaves = new Map<string, string>();
    let nextSeq = afterSeq;
    for (const { seq, hash, leaf } of rows) {
      if (leaves.size >= limit) break;
      nextSeq = seq;
      if (hash !== null && leaf !== null) leaves.set(encodeHex(hash), encodeHex(leaf));
    }
    return {
      leaves: [...leaves].map(([key, digest]) => ({ key, digest })),
      nextSeq,
      isEnd: nextSeq >= this.#lastSeq(),
    };
  }

  #ofEach<Value, T>(
    keys: readonly string[],
    column: "leaf" | "status",
    read: (value: Value) => T | null,
  ): readonly (T | null)[] {
    const found: (T | null)[] = [];
    this.#connection.together(
      keys.map((key, index) => () => {
        const query = `SELECT ${column} AS value FROM items WHERE hash = ?`;
        const row = this.#connection.get<{ value: Value }>(query, Buffer.from(key, "hex"));
        found[index] = row === undefined ? null : read(row.value);
      }),
    );
    return found;
  }

  #range(nibbles: readonly number[]): TreeRange {
    const node = readNode(this.#connection, MESSAGES, nibbles);
    if (node !== null && node.count > BUCKET_SIZE)
      return inner(readNodes(this.#connection, MESSAGES, nibbles));
    const { from, to } = rangeOf(nibbles);
    const { count, bytes } = this.#readLeaves(from, to, this.#maxLeaves + 1);
    if (count > this.#maxLeaves) return { kind: "unready" };
    return count === 0 ? { kind: "none" } : { kind: "leaves", leaves: leavesOf(bytes) };
  }

  #lastSeq(): number {
    return this.#connection.get<{ last: number | null }>("SELECT max(seq) AS last FROM events")?.last ?? 0;
  }
}

const inner = (children: readonly (MerkleNode | null)[]): TreeRange => ({
  kind: "inner",
  children: children.map((child) => child?.digest ?? null),
});

const nibblesOf = (prefix: string): number[] => [...prefix].map((digit) => Number.parseInt(digit, 16));

const DIGEST_BYTES = 32;

/** Leaves out of their bytes: length of key || key || digest, one behind the other. */
function leavesOf(bytes: Uint8Array): TreeLeaf[] {
  const leaves: TreeLeaf[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + (bytes[at] ?? 0);
    const digest = encodeHex(bytes.subarray(end, end + DIGEST_BYTES));
    leaves.push({ key: encodeHex(bytes.subarray(at + 1, end)), digest });
    at = end + DIGEST_BYTES;
  }
  return leaves;
}
