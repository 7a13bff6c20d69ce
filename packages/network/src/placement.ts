import { hash } from "node:crypto";

/** A node that can keep files. */
export interface StorageNode {
  readonly peerId: string;
  /** What fails together: a machine, a rack, an operator. */
  readonly domain: string;
}

/**
 * Which nodes are to keep a file: those of the highest hash of file and node, as few as possible of one domain. A node
 * that comes or goes moves only the files that it keeps, and all who know the same nodes agree without a word.
 *
 * Source: D. Thaler, C. Ravishankar, "Using name-based mappings to increase hit rates", 1998 (rendezvous hashing).
 */
export function placesOf(fileHash: string, nodes: Iterable<StorageNode>, copies: number): readonly string[] {
  const ranked = rankedFor(fileHash, nodes);
  return spread(ranked, Math.min(copies, ranked.length));
}

/**
 * Which node is to keep which shard of a file, by position. The nodes are those of `placesOf`; where there are fewer
 * than shards, each keeps several, as evenly as can be. They choose their shards one after the other, each that of the
 * highest hash of file, node and position that is left: when one goes, the next in the order takes what becomes free,
 * and about one of the others moves.
 */
export function shardPlacesOf(
  fileHash: string,
  nodes: Iterable<StorageNode>,
  totalShards: number,
): readonly string[] {
  const ranked = rankedFor(fileHash, nodes);
  if (ranked.length === 0) return [];
  const free = new Set(Array.from({ length: totalShards }, (_, position) => position));
  const places = new Map<number, string>();
  for (const peerId of spread(ranked, totalShards)) {
    const [position = 0] = [...free].sort((a, b) =>
      weightOf(`${fileHash}\n${a}`, peerId) < weightOf(`${fileHash}\n${b}`, peerId) ? 1 : -1,
    );
    free.delete(position);
    places.set(position, peerId);
  }
  return Array.from({ length: totalShards }, (_, position) => places.get(position) ?? "");
}

function rankedFor(fileHash: string, nodes: Iterable<StorageNode>): readonly StorageNode[] {
  return [...nodes]
    .map((node) => ({ node, weight: weightOf(fileHash, node.peerId) }))
    .sort((a, b) => (a.weight < b.weight ? 1 : -1))
    .map(({ node }) => node);
}

/** So many places: each goes to a node that has fewest, of those to one whose domain has fewest, of those by rank. */
function spread(ranked: readonly StorageNode[], count: number): readonly string[] {
  const places: string[] = [];
  const ofDomain = new Map<string, number>();
  const ofNode = new Map<string, number>();
  const isBefore = (a: StorageNode, b: StorageNode): boolean => {
    const byNode = (ofNode.get(a.peerId) ?? 0) - (ofNode.get(b.peerId) ?? 0);
    return byNode !== 0 ? byNode < 0 : (ofDomain.get(a.domain) ?? 0) < (ofDomain.get(b.domain) ?? 0);
  };
  while (places.length < count) {
    let best = ranked[0];
    if (best === undefined) break;
    for (const node of ranked) if (isBefore(node, best)) best = node;
    ofDomain.set(best.domain, (ofDomain.get(best.domain) ?? 0) + 1);
    ofNode.set(best.peerId, (ofNode.get(best.peerId) ?? 0) + 1);
    places.push(best.peerId);
  }
  return places;
}

function weightOf(fileHash: string, peerId: string): string {
  return hash("sha256", `${fileHash}\n${peerId}`);
}
