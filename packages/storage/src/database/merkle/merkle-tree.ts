import type { SqlConnection } from "../sql/connection.ts";
import { sha256 } from "./leaf.ts";

/**
 * A Merkle tree over ranges of keys, one nibble a level. A range of at most `BUCKET_SIZE` leaves is one bucket,
 * hashed whole; a larger one is split in sixteen. So the shape follows from the set of leaves alone, any range
 * with a common prefix has one digest, and a change touches one bucket and its ancestors.
 *
 * bucket digest   = SHA-256(0x00 || for each leaf by key: length of key || key || leaf digest)
 * inner digest    = SHA-256(0x01 || for each child that is not empty: nibble || child digest)
 * digest of none  = SHA-256(0x00)
 */

/** The most leaves of a range that is not split. */
export const BUCKET_SIZE = 32;
/** Depth beyond which ranges are not split: keys have 32 bytes or more. */
const MAX_DEPTH = 60;

export interface MerkleNode {
  readonly count: number;
  readonly digest: Uint8Array;
}

/** Leaves of a range. */
export interface LeafRange {
  readonly count: number;
  /** For each leaf by key: length of key || key || leaf digest. */
  readonly bytes: Uint8Array;
}

/** Reads the leaves from one key to before another (null: to the end), the first `limit` of them. */
export type ReadLeaves = (from: Uint8Array, to: Uint8Array | null, limit: number) => LeafRange;

/** One tree in the database. Not a transaction of its own: the caller brings that. */
export class MerkleTree {
  readonly #connection: SqlConnection;
  readonly #tree: number;
  readonly #readLeaves: ReadLeaves;

  constructor(connection: SqlConnection, tree: number, readLeaves: ReadLeaves) {
    this.#connection = connection;
    this.#tree = tree;
    this.#readLeaves = readLeaves;
  }

  root(): MerkleNode {
    return this.#load([]) ?? { count: 0, digest: bucketDigest(new Uint8Array()) };
  }

  /** The node of a range, or null when the range holds nothing or lies inside a bucket. */
  node(nibbles: readonly number[]): MerkleNode | null {
    return this.#load(nibbles);
  }

  /** Brings the digests of everything above the given keys up to date. */
  update(keys: readonly Uint8Array[]): void {
    if (keys.length > 0) this.#update([], this.#load([]), keys);
  }

  #update(
    nibbles: readonly number[],
    known: MerkleNode | null,
    keys: readonly Uint8Array[],
  ): MerkleNode | null {
    if (known !== null && known.count > BUCKET_SIZE) return this.#updateInner(nibbles, keys);
    return this.#build(nibbles);
  }

  #updateInner(nibbles: readonly number[], keys: readonly Uint8Array[]): MerkleNode | null {
    const children = this.#loadChildren(nibbles);
    for (const [nibble, changed] of groupByNibble(keys, nibbles.length)) {
      children[nibble] = this.#update([...nibbles, nibble], children[nibble] ?? null, changed);
    }
    const count = children.reduce((sum, child) => sum + (child?.count ?? 0), 0);
    if (count > BUCKET_SIZE) return this.#store(nibbles, { count, digest: innerDigest(children) });
    this.#deleteBelow(nibbles);
    return this.#build(nibbles);
  }

  /** Computes a range from its leaves. */
  #build(nibbles: readonly number[]): MerkleNode | null {
    const { from, to } = rangeOf(nibbles);
    const isDeepest = nibbles.length >= MAX_DEPTH;
    const leaves = this.#readLeaves(from, to, isDeepest ? Number.MAX_SAFE_INTEGER : BUCKET_SIZE + 1);
    if (leaves.count === 0) {
      this.#delete(nibbles);
      return null;
    }
    if (leaves.count <= BUCKET_SIZE || isDeepest) {
      return this.#store(nibbles, { count: leaves.count, digest: bucketDigest(leaves.bytes) });
    }
    const children = Array.from({ length: 16 }, (_, nibble) => this.#build([...nibbles, nibble]));
    const count = children.reduce((sum, child) => sum + (child?.count ?? 0), 0);
    return this.#store(nibbles, { count, digest: innerDigest(children) });
  }

  #load(nibbles: readonly number[]): MerkleNode | null {
    return readNode(this.#connection, this.#tree, nibbles);
  }

  #loadChildren(nibbles: readonly number[]): (MerkleNode | null)[] {
    return readNodes(this.#connection, this.#tree, nibbles);
  }

  #store(nibbles: readonly number[], node: MerkleNode): MerkleNode {
    this.#connection.run(
      "INSERT INTO merkle_nodes (tree, position, n, digest) VALUES (?, ?, ?, ?) ON CONFLICT (tree, position) DO UPDATE SET n = excluded.n, digest = excluded.digest",
      this.#tree,
      positionOf(nibbles),
      node.count,
      node.digest,
    );
    return node;
  }

  #delete(nibbles: readonly number[]): void {
    this.#connection.run(
      "DELETE FROM merkle_nodes WHERE tree = ? AND position = ?",
      this.#tree,
      positionOf(nibbles),
    );
  }

  /** A range that shrank to a bucket has no nodes below it. */
  #deleteBelow(nibbles: readonly number[]): void {
    for (let nibble = 0; nibble < 16; nibble += 1) {
      const child = [...nibbles, nibble];
      const node = this.#load(child);
      if (node === null) continue;
      if (node.count > BUCKET_SIZE) this.#deleteBelow(child);
      this.#delete(child);
    }
  }
}

/** The stored node of a range, or null when the range holds nothing or lies inside a bucket. */
export function readNode(
  connection: SqlConnection,
  tree: number,
  nibbles: readonly number[],
): MerkleNode | null {
  const row = connection.get<{ n: number; digest: Uint8Array }>(
    "SELECT n, digest FROM merkle_nodes WHERE tree = ? AND position = ?",
    tree,
    positionOf(nibbles),
  );
  return row === undefined ? null : { count: row.n, digest: row.digest };
}

/** The sixteen stored nodes below that of a range. */
export function readNodes(
  connection: SqlConnection,
  tree: number,
  nibbles: readonly number[],
): (MerkleNode | null)[] {
  const children: (MerkleNode | null)[] = Array.from({ length: 16 }, () => null);
  const rows = connection.all<{ position: Uint8Array; n: number; digest: Uint8Array }>(
    "SELECT position, n, digest FROM merkle_nodes WHERE tree = ? AND position BETWEEN ? AND ?",
    tree,
    positionOf([...nibbles, 0]),
    positionOf([...nibbles, 15]),
  );
  for (const row of rows) children[row.position.at(-1) ?? 0] = { count: row.n, digest: row.digest };
  return children;
}

/** Siblings are neighbours: depth first, then the nibbles. */
function positionOf(nibbles: readonly number[]): Uint8Array {
  return Uint8Array.of(nibbles.length, ...nibbles);
}

function groupByNibble(keys: readonly Uint8Array[], depth: number): Map<number, Uint8Array[]> {
  const groups = new Map<number, Uint8Array[]>();
  for (const key of keys) {
    const byte = key[depth >> 1] ?? 0;
    const nibble = depth % 2 === 0 ? byte >> 4 : byte & 15;
    const group = groups.get(nibble);
    if (group === undefined) groups.set(nibble, [key]);
    else group.push(key);
  }
  return groups;
}

/** First key of a range, and the first key behind it (null: there is none). */
export function rangeOf(nibbles: readonly number[]): { from: Uint8Array; to: Uint8Array | null } {
  const from = bytesOf(nibbles);
  const next = [...nibbles];
  while (next.length > 0 && next.at(-1) === 15) next.pop();
  if (next.length === 0) return { from, to: null };
  next[next.length - 1] = (next.at(-1) ?? 0) + 1;
  return { from, to: bytesOf(next) };
}

function bytesOf(nibbles: readonly number[]): Uint8Array {
  const bytes = new Uint8Array((nibbles.length + 1) >> 1);
  nibbles.forEach((nibble, index) => {
    bytes[index >> 1] = (bytes[index >> 1] ?? 0) | (index % 2 === 0 ? nibble << 4 : nibble);
  });
  return bytes;
}

function bucketDigest(leaves: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([Uint8Array.of(0), leaves]));
}

function innerDigest(children: readonly (MerkleNode | null)[]): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(1)];
  children.forEach((child, nibble) => {
    if (child !== null) parts.push(Uint8Array.of(nibble), child.digest);
  });
  return sha256(Buffer.concat(parts));
}
