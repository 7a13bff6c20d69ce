import { createHash } from "node:crypto";

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
  const ranked = [...nodes]
    .map((node) => ({ ...node, weight: weightOf(fileHash, node.peerId) }))
    .sort((a, b) => (a.weight < b.weight ? 1 : -1));
  const places: string[] = [];
  const perDomain = new Map<string, number>();
  for (let allowed = 1; places.length < Math.min(copies, ranked.length); allowed += 1) {
    for (const { peerId, domain } of ranked) {
      if (places.length === copies) break;
      const taken = perDomain.get(domain) ?? 0;
      if (taken >= allowed || places.includes(peerId)) continue;
      perDomain.set(domain, taken + 1);
      places.push(peerId);
    }
  }
  return places;
}

function weightOf(fileHash: string, peerId: string): string {
  return createHash("sha256").update(`${fileHash}\n${peerId}`).digest("hex");
}
