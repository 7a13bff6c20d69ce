import type { VmFacts } from "../model/vm.ts";

const owners = new WeakMap<VmFacts, string>();
const NONE: ReadonlyMap<never, number> = new Map<never, number>();

/** Asked for each machine again and again. */
function ownerOf(facts: VmFacts): string {
  const known = owners.get(facts);
  if (known !== undefined) return known;
  const owner = facts.owner.toLowerCase();
  owners.set(facts, owner);
  return owner;
}

/** Which rooms were given to machines, in turn, and how many of each owner each has: of one owner they are in few. */
export class Takings<Room> {
  readonly #counts = new Map<string, Map<Room, number>>();
  readonly #log: Room[] = [];

  add(facts: VmFacts, room: Room): void {
    const owner = ownerOf(facts);
    const counts = this.#counts.get(owner) ?? new Map<Room, number>();
    this.#counts.set(owner, counts);
    counts.set(room, (counts.get(room) ?? 0) + 1);
    this.#log.push(room);
  }

  /** Rooms that were given to a machine, in turn. */
  get log(): readonly Room[] {
    return this.#log;
  }

  /** Of the owner of a machine, by room; rooms without any are left out. */
  ofOwner(facts: VmFacts): ReadonlyMap<Room, number> {
    return this.#counts.get(ownerOf(facts)) ?? NONE;
  }
}
