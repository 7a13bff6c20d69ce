import type { VmFacts } from "../model/vm.ts";
import type { VmVersion } from "./vm-facts.ts";

/** Machines as the newest of their messages have them. */
export interface CurrentVms {
  readonly placed: ReadonlyMap<string, VmFacts>;
  /** Programs that run on demand. */
  readonly onDemand: ReadonlySet<string>;
}

/**
 * The machines that a set of messages describes: those that revise an earlier one are the same machine, known by the
 * hash of the first, and the newest content counts. Revisions of somebody else's machine are machines of their own.
 */
export function currentVms(versions: readonly VmVersion[]): CurrentVms {
  const byHash = new Map(versions.map((version) => [version.itemHash, version]));
  const newest = new Map<string, VmVersion>();
  for (const version of versions) {
    const root = rootOf(version, byHash);
    const known = newest.get(root);
    if (known === undefined || isNewer(version, known)) newest.set(root, version);
  }
  const placed = new Map<string, VmFacts>();
  const onDemand = new Set<string>();
  for (const [vmHash, { facts, isPlaced }] of newest) {
    const first = byHash.get(vmHash)?.facts ?? facts;
    if (isPlaced) placed.set(vmHash, { ...facts, vmHash, createdAtMs: first.createdAtMs });
    else onDemand.add(vmHash);
  }
  return { placed, onDemand };
}

function rootOf(version: VmVersion, byHash: ReadonlyMap<string, VmVersion>): string {
  const seen = new Set<string>();
  let current = version;
  while (current.replaces !== null && !seen.has(current.itemHash)) {
    seen.add(current.itemHash);
    const earlier = byHash.get(current.replaces);
    // Without the first version nobody can say whose it was.
    if (earlier === undefined || !isRevision(current.facts, earlier.facts)) break;
    current = earlier;
  }
  return current.itemHash;
}

export const isRevision = (later: VmFacts, earlier: VmFacts): boolean =>
  later.kind === earlier.kind && later.owner === earlier.owner;

const isNewer = (a: VmVersion, b: VmVersion): boolean =>
  a.facts.createdAtMs > b.facts.createdAtMs ||
  (a.facts.createdAtMs === b.facts.createdAtMs && a.itemHash > b.itemHash);
