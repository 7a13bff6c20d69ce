import type { KeptFileRecord } from "@twentysix/storage";

/** Where a file is, as far as it was proven to this node. */
export interface Holders {
  /** Nodes that have it whole. */
  readonly whole: readonly string[];
  /** Of each shard, by position, the nodes that hold it. */
  readonly shards: readonly (readonly string[])[];
  /** Shards that give the file. */
  readonly dataShards: number;
}

export interface Loss {
  /** Nodes with whose loss it is gone: the smallest such set, or a small one. Empty when nothing is proven. */
  readonly lostIf: readonly string[];
  /** However chosen, so many nodes can vanish and it is still there. */
  readonly survivesLosses: number;
}

/** Sets of nodes that are looked at; beyond that a small set has to do, and a cautious figure. */
const MAX_SETS = 20_000;

/** @param present nodes that are here; what others have proven once is worth nothing now */
export function holdersOf(file: KeptFileRecord, self: string, present: ReadonlySet<string>): Holders {
  const named = (isHere: boolean, proofs: KeptFileRecord["proofs"]): string[] => [
    ...(isHere ? [self] : []),
    ...proofs.flatMap(({ peerId }) => (present.has(peerId) ? [peerId] : [])),
  ];
  return {
    whole: named(file.damage === null, file.proofs),
    shards: (file.coding?.shards ?? []).map(({ isHeld, proofs }) => named(isHeld, proofs)),
    dataShards: file.coding?.dataShards ?? 1,
  };
}

/** Which nodes would have to vanish. Who has it whole is always among them. */
export function lossOf({ whole, shards, dataShards }: Holders): Loss {
  const left = shards
    .map((holders) => holders.filter((node) => !whole.includes(node)))
    .filter(({ length }) => length > 0);
  const parts = smallestSet(left, left.length - dataShards + 1);
  return {
    lostIf: [...whole, ...parts.nodes],
    survivesLosses: Math.max(0, whole.length + parts.atLeast - 1),
  };
}

interface NodeSet {
  readonly nodes: readonly string[];
  /** No set is smaller. */
  readonly atLeast: number;
}

/** The smallest set of nodes with which so many of the shards are lost. */
function smallestSet(shards: readonly (readonly string[])[], toLose: number): NodeSet {
  if (toLose <= 0) return { nodes: [], atLeast: 0 };
  const counts = new Map<string, number>();
  for (const node of shards.flat()) counts.set(node, (counts.get(node) ?? 0) + 1);
  const nodes = [...counts.keys()].sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
  let looks = MAX_SETS;
  const isLost = (gone: readonly string[]): boolean =>
    shards.filter((holders) => holders.every((node) => gone.includes(node))).length >= toLose;
  const find = (gone: readonly string[], from: number, size: number): readonly string[] | null => {
    if (size === 0) {
      looks -= 1;
      return isLost(gone) ? gone : null;
    }
    for (let index = from; index + size <= nodes.length && looks > 0; index += 1) {
      const found = find([...gone, nodes[index] ?? ""], index + 1, size - 1);
      if (found !== null) return found;
    }
    return null;
  };
  for (let size = 1; size <= nodes.length; size += 1) {
    const found = find([], 0, size);
    if (found !== null) return { nodes: found, atLeast: size };
    // All smaller ones were looked at; those of this size were not.
    if (looks <= 0) return { nodes: addedUp(nodes, isLost), atLeast: size };
  }
  return { nodes, atLeast: nodes.length };
}

/** Nodes one after the other, those with most shards first, until enough are lost. */
function addedUp(nodes: readonly string[], isLost: (gone: readonly string[]) => boolean): readonly string[] {
  const size = nodes.findIndex((_, index) => isLost(nodes.slice(0, index + 1)));
  return nodes.slice(0, size + 1);
}
