import {
  encodeLeaves,
  encodeNodes,
  MAX_RANGE_LEAVES,
  type RangeNode,
  shortDigest,
  type WantedLeaves,
} from "@twentysix/network/reconcile";
import { type SqlConnection, type TreeLeaf, type TreeRange, TreeReads } from "@twentysix/storage/reader";
import { readBodies } from "./read-bodies.ts";

/** Reads for comparing this node with another one, each of bounded size. Keys and prefixes in hexadecimal. */
export type TreeCall =
  | { readonly kind: "treeState" }
  /** Answered as it travels: see `encodeNodes`. */
  | { readonly kind: "treeNodes"; readonly prefixes: readonly string[]; readonly salt: Uint8Array }
  /** Answered as it travels: see `encodeLeaves`. */
  | { readonly kind: "treeLeaves"; readonly wanted: readonly WantedLeaves[]; readonly salt: Uint8Array }
  | { readonly kind: "treeDigests"; readonly keys: readonly string[] }
  | { readonly kind: "itemStatuses"; readonly itemHashes: readonly string[] }
  | { readonly kind: "treeLog"; readonly afterSeq: number; readonly limit: number }
  | { readonly kind: "bodies"; readonly keys: readonly string[]; readonly maxCharacters: number };

/** Answers them on the connection of the reader thread; each sees one state of the database. */
export function createTreeCalls(connection: SqlConnection): (call: TreeCall) => unknown {
  const tree = new TreeReads(connection, MAX_RANGE_LEAVES);
  return (call) => inSnapshot(connection, () => answer(connection, tree, call));
}

function answer(connection: SqlConnection, tree: TreeReads, call: TreeCall): unknown {
  switch (call.kind) {
    case "treeState":
      return tree.state();
    case "treeNodes":
      return encodeNodes(tree.ranges(call.prefixes).map((range) => shortened(range, call.salt)));
    case "treeLeaves":
      return encodeLeaves(wantedLeaves(tree, call.wanted, call.salt));
    case "treeDigests":
      return tree.digests(call.keys);
    case "itemStatuses":
      return tree.statuses(call.itemHashes);
    case "treeLog":
      return tree.log(call.afterSeq, call.limit);
    case "bodies":
      return readBodies(connection, call.keys, call.maxCharacters);
  }
}

function inSnapshot<T>(connection: SqlConnection, work: () => T): T {
  connection.exec(connection.dialect.beginSnapshot);
  try {
    return work();
  } finally {
    connection.exec("COMMIT");
  }
}

function shortened(range: TreeRange, salt: Uint8Array): RangeNode {
  switch (range.kind) {
    case "inner":
      return {
        kind: "inner",
        children: range.children.map((digest) => (digest === null ? null : shortDigest(salt, digest))),
      };
    case "leaves":
      return { kind: "leaves", shorts: range.leaves.map((leaf) => shortOf(leaf, salt)) };
    default:
      return range;
  }
}

const shortOf = ({ key, digest }: TreeLeaf, salt: Uint8Array): string =>
  shortDigest(salt, Buffer.from(key, "hex"), Buffer.from(digest, "hex"));

function wantedLeaves(
  tree: TreeReads,
  wanted: readonly WantedLeaves[],
  salt: Uint8Array,
): readonly TreeLeaf[] {
  const within = tree.leavesWithin(wanted.map(({ prefix }) => prefix));
  return wanted.flatMap(({ shorts }, index) => {
    const asked = new Set(shorts);
    return (within[index] ?? []).filter((leaf) => asked.has(shortOf(leaf, salt)));
  });
}
