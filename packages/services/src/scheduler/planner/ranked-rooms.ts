import type { VmFacts } from "../model/vm.ts";
import type { RuleContext } from "./eligibility.ts";
import type { NodeRoom } from "./node-room.ts";
import { isBad, isRareFor, priceOf, scoreOf } from "./rank.ts";

/** Rooms that are bad or rare come after those that are not. */
const GROUPS = 4;
/** A room is in one place by how many hundredths of it would be left. */
const PLACES = 101;

/**
 * Rooms in the order in which machines of one kind and size would rank them, but for how many of their owner's each has.
 * Kept while machines are given to rooms: only those that changed are put elsewhere.
 */
export class RankedRooms {
  readonly #facts: VmFacts;
  readonly #context: RuleContext;
  readonly #log: readonly NodeRoom[];
  #readUntil: number;
  /** Best first; in each the better and cheaper nodes come first. */
  readonly #places: NodeRoom[][] = Array.from({ length: GROUPS * PLACES }, () => []);
  /** null: it is too small now. */
  readonly #placeOf = new Map<NodeRoom, number | null>();

  /** @param log rooms that were given to a machine, in turn; it grows */
  constructor(facts: VmFacts, rooms: Iterable<NodeRoom>, log: readonly NodeRoom[], context: RuleContext) {
    this.#facts = facts;
    this.#context = context;
    this.#log = log;
    this.#readUntil = log.length;
    for (const room of [...rooms].sort(compareNodes)) this.#put(room);
  }

  /**
   * The best rooms, all of one rank.
   *
   * @param owned how many machines of the owner are in which room
   */
  best(owned: ReadonlyMap<NodeRoom, number>, isOut: (room: NodeRoom) => boolean): readonly NodeRoom[] {
    this.#catchUp();
    for (let group = 0; group < GROUPS; group += 1) {
      const places = this.#places.slice(group * PLACES, (group + 1) * PLACES);
      const free = firstOfOneRank(places, (room) => !owned.has(room) && !isOut(room));
      if (free.length > 0) return free;
      const counts = places.flat().flatMap((room) => (isOut(room) ? [] : [owned.get(room) ?? 0]));
      const least = counts.reduce((best, count) => Math.min(best, count), Number.POSITIVE_INFINITY);
      const shared = firstOfOneRank(places, (room) => owned.get(room) === least && !isOut(room));
      if (shared.length > 0) return shared;
    }
    return [];
  }

  #catchUp(): void {
    for (; this.#readUntil < this.#log.length; this.#readUntil += 1) {
      const room = this.#log[this.#readUntil];
      if (room === undefined || !this.#placeOf.has(room)) continue;
      const before = this.#placeOf.get(room) ?? null;
      if (this.#place(room) === before) continue;
      const rooms = before === null ? [] : (this.#places[before] ?? []);
      if (before !== null) rooms.splice(rooms.indexOf(room), 1);
      this.#put(room);
    }
  }

  #put(room: NodeRoom): void {
    const place = this.#place(room);
    this.#placeOf.set(room, place);
    const rooms = place === null ? undefined : this.#places[place];
    rooms?.splice(behindOf(rooms, room), 0, room);
  }

  #place(room: NodeRoom): number | null {
    if (room.lacks(this.#facts) !== null) return null;
    const group = (isBad(room.node, this.#context) ? 2 : 0) + (isRareFor(this.#facts, room) ? 1 : 0);
    return group * PLACES + (PLACES - 1 - room.freePercentWith(this.#facts));
  }
}

/** The first room that fits, with those that are its equals. */
function firstOfOneRank(
  places: readonly (readonly NodeRoom[])[],
  fits: (room: NodeRoom) => boolean,
): readonly NodeRoom[] {
  for (const place of places) {
    const index = place.findIndex(fits);
    const first = place[index];
    if (first === undefined) continue;
    const end = place.findIndex((room, at) => at > index && compareNodes(first, room) !== 0);
    return place.slice(index, end < 0 ? undefined : end).filter(fits);
  }
  return [];
}

/** Where a room belongs among those that are in order: behind the last one that is not worse. */
function behindOf(rooms: readonly NodeRoom[], room: NodeRoom): number {
  let [from, to] = [0, rooms.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const other = rooms[middle];
    if (other !== undefined && compareNodes(other, room) <= 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

const compareNodes = ({ node: a }: NodeRoom, { node: b }: NodeRoom): number =>
  scoreOf(b) - scoreOf(a) || priceOf(a) - priceOf(b);
