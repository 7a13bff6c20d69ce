import { createHash } from "node:crypto";
import {
  type Leaf,
  type OwnRanges,
  type RangeNode,
  type RemoteRanges,
  shortDigest,
} from "../../src/reconcile.ts";

const BUCKET = 32;

const digestOf = (parts: readonly string[]): Buffer => createHash("sha256").update(parts.join()).digest();

/** A set of leaves that tells of its ranges as a node does. */
export class MemoryRanges implements OwnRanges, RemoteRanges {
  readonly leavesByKey: ReadonlyMap<string, string>;
  readonly #salt: Uint8Array;
  readonly #sorted: readonly Leaf[];
  /** Ranges that were asked about. */
  asked = 0;

  constructor(leaves: Iterable<Leaf>, salt: Uint8Array) {
    this.leavesByKey = new Map([...leaves].map(({ key, digest }) => [key, digest]));
    this.#salt = salt;
    this.#sorted = [...this.leavesByKey]
      .map(([key, digest]) => ({ key, digest }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  async nodes(prefixes: readonly string[]): Promise<readonly RangeNode[]> {
    this.asked += prefixes.length;
    return prefixes.map((prefix) => this.#node(prefix));
  }

  async digests(keys: readonly string[]): Promise<readonly (string | null)[]> {
    return keys.map((key) => this.leavesByKey.get(key) ?? null);
  }

  async leaves(wanted: Parameters<RemoteRanges["leaves"]>[0]): Promise<readonly Leaf[]> {
    return wanted.flatMap(({ prefix, shorts }) =>
      this.#within(prefix).filter((leaf) => shorts.includes(this.#short(leaf))),
    );
  }

  #within(prefix: string): readonly Leaf[] {
    return this.#sorted.filter(({ key }) => key.startsWith(prefix));
  }

  #node(prefix: string): RangeNode {
    const leaves = this.#within(prefix);
    if (leaves.length === 0) return { kind: "none" };
    if (leaves.length <= BUCKET) return { kind: "leaves", shorts: leaves.map((leaf) => this.#short(leaf)) };
    const children = Array.from({ length: 16 }, (_, nibble) => {
      const inside = this.#within(prefix + nibble.toString(16));
      if (inside.length === 0) return null;
      return shortDigest(this.#salt, digestOf(inside.map(({ key, digest }) => key + digest)));
    });
    return { kind: "inner", children };
  }

  #short({ key, digest }: Leaf): string {
    return shortDigest(this.#salt, Buffer.from(key, "hex"), Buffer.from(digest, "hex"));
  }
}
