import { PeerFault } from "./peer-fault.ts";
import {
  type Leaf,
  MAX_LEAVES,
  MAX_PREFIX_DIGITS,
  MAX_PREFIXES,
  type OwnRanges,
  type Prefix,
  type RangeNode,
  type RemoteRanges,
  type WantedLeaves,
} from "./range-types.ts";
import { shortDigest } from "./short-digest.ts";

export interface ComparisonOptions {
  readonly own: OwnRanges;
  readonly remote: RemoteRanges;
  /** The one with which both sides shorten digests. */
  readonly salt: Uint8Array;
  /** Ranges that the other side may make this one ask about: see `rangesFor`. */
  readonly maxRanges: number;
  /** A range of the other side is passed over, since it has no digests for it yet. */
  readonly onUnready?: () => void;
  readonly signal: AbortSignal;
}

const LEAST_RANGES = 1_024;

/** Ranges that so many leaves can need: one is split when it has more than 32, so there are fewer than leaves. */
export const rangesFor = (leaves: number): number => LEAST_RANGES + leaves;

/**
 * Finds what the other side has and this one has not: from the whole down into the ranges whose digests differ, depth
 * first, so that what is held in memory follows from the depth and not from the number of differences. It asks for
 * nothing twice, checks each leaf against the range and the digest that it was told under, and ends by itself.
 *
 * @throws PeerFault when the other side contradicts itself, or has more ranges than it can; the signal's reason
 */
export async function* compareRanges(
  options: ComparisonOptions,
): AsyncGenerator<readonly Leaf[], void, undefined> {
  const { own, remote, maxRanges, signal } = options;
  const open: Prefix[] = [""];
  const wanted = new WantedQueue();
  for (let asked = 0; open.length > 0; ) {
    signal.throwIfAborted();
    const prefixes = open.splice(-MAX_PREFIXES);
    asked += prefixes.length;
    if (asked > maxRanges) throw new PeerFault("the peer tells of more differences than it can have");
    const [theirs, mine] = await Promise.all([remote.nodes(prefixes), own.nodes(prefixes)]);
    prefixes.forEach((prefix, index) => {
      if (theirs[index]?.kind === "unready") options.onUnready?.();
      const next = differences(prefix, theirs[index], mine[index]);
      open.push(...next.prefixes);
      wanted.add(prefix, next.shorts);
    });
    while (wanted.count >= MAX_LEAVES || (open.length === 0 && wanted.count > 0))
      yield* missingOf(options, wanted.take(MAX_LEAVES));
  }
}

interface Next {
  readonly prefixes: readonly Prefix[];
  readonly shorts: readonly string[];
}

const NOTHING: Next = { prefixes: [], shorts: [] };

function differences(prefix: Prefix, theirs: RangeNode | undefined, mine: RangeNode | undefined): Next {
  if (theirs === undefined || theirs.kind === "none" || theirs.kind === "unready") return NOTHING;
  if (theirs.kind === "leaves") {
    const known = new Set(mine?.kind === "leaves" ? mine.shorts : []);
    return { prefixes: [], shorts: theirs.shorts.filter((short) => !known.has(short)) };
  }
  if (prefix.length >= MAX_PREFIX_DIGITS) throw new PeerFault("the peer splits a range that is never split");
  const children = mine?.kind === "inner" ? mine.children : [];
  return {
    prefixes: theirs.children.flatMap((child, nibble) =>
      child === null || child === children[nibble] ? [] : [prefix + nibble.toString(16)],
    ),
    shorts: [],
  };
}

/** Asks for leaves and gives those that are not here. */
async function* missingOf(
  { own, remote, salt }: ComparisonOptions,
  wanted: readonly WantedLeaves[],
): AsyncGenerator<readonly Leaf[], void, undefined> {
  const told = await remote.leaves(wanted);
  assertWanted(told, wanted, salt);
  const digests = await own.digests(told.map(({ key }) => key));
  const missing = told.filter(({ digest }, index) => digests[index] !== digest);
  if (missing.length > 0) yield missing;
}

function assertWanted(told: readonly Leaf[], wanted: readonly WantedLeaves[], salt: Uint8Array): void {
  const prefixes = new Map<string, Prefix>();
  for (const { prefix, shorts } of wanted) for (const short of shorts) prefixes.set(short, prefix);
  for (const { key, digest } of told) {
    const short = shortDigest(salt, Buffer.from(key, "hex"), Buffer.from(digest, "hex"));
    const prefix = prefixes.get(short);
    if (prefix === undefined || !key.startsWith(prefix))
      throw new PeerFault("the peer tells of a message that is not where it said");
    // Told once is enough.
    prefixes.delete(short);
  }
}

/** Leaves to be asked for, many ranges at once. */
class WantedQueue {
  #ranges: WantedLeaves[] = [];
  count = 0;

  add(prefix: Prefix, shorts: readonly string[]): void {
    if (shorts.length === 0) return;
    this.#ranges.push({ prefix, shorts });
    this.count += shorts.length;
  }

  /** As many whole ranges as have at most `max` leaves together; one at least. */
  take(max: number): WantedLeaves[] {
    const taken: WantedLeaves[] = [];
    let leaves = 0;
    for (const range of this.#ranges) {
      if (taken.length > 0 && leaves + range.shorts.length > max) break;
      taken.push(range);
      leaves += range.shorts.length;
    }
    this.#ranges = this.#ranges.slice(taken.length);
    this.count -= leaves;
    return taken;
  }
}
