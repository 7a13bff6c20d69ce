import type { VmFacts } from "../model/vm.ts";
import { exclusionOfPlace, type RuleContext } from "./eligibility.ts";
import { kindText, type NodeRoom } from "./node-room.ts";
import type { PlanVm } from "./plan-input.ts";
import { RankedRooms } from "./ranked-rooms.ts";
import type { Takings } from "./takings.ts";

/** Whoever makes up more of them pays with the time of their own machines alone. */
const MAX_KINDS = 64;
/** The same holds for those of more sizes. */
const MAX_SHAPES = 64;

/** The rooms of all nodes while a plan is made. */
export class Rooms {
  /** By node, in the order of their hashes. */
  readonly byNode: ReadonlyMap<string, NodeRoom>;
  readonly takings: Takings<NodeRoom>;
  readonly #usable = new Map<string, readonly NodeRoom[]>();
  readonly #ranked = new Map<string, RankedRooms>();

  constructor(byNode: ReadonlyMap<string, NodeRoom>, takings: Takings<NodeRoom>) {
    this.takings = takings;
    this.byNode = byNode;
  }

  /** Those that no rule excludes which looks at nothing that changes while a plan is made. */
  usableFor(vm: PlanVm, context: RuleContext): Iterable<NodeRoom> {
    const { nodeHash } = vm.facts.node;
    if (nodeHash !== null) {
      const room = this.byNode.get(nodeHash);
      return room === undefined || exclusionOfPlace(vm, room, context) !== null ? [] : [room];
    }
    const kind = kindText(vm.facts);
    const known = kind === null ? undefined : this.#usable.get(kind);
    if (known !== undefined) return known;
    const usable = [...this.byNode.values()].filter((room) => exclusionOfPlace(vm, room, context) === null);
    if (kind !== null && this.#usable.size < MAX_KINDS) this.#usable.set(kind, usable);
    return usable;
  }

  /** Those for machines of one kind and size in the order of their rank; null: too many kinds and sizes are there. */
  rankedFor(vm: PlanVm, context: RuleContext): RankedRooms | null {
    const shape = shapeText(vm.facts);
    if (shape === null) return null;
    const known = this.#ranked.get(shape);
    if (known !== undefined) return known;
    if (this.#ranked.size >= MAX_SHAPES) return null;
    const ranked = new RankedRooms(vm.facts, this.usableFor(vm, context), this.takings.log, context);
    this.#ranked.set(shape, ranked);
    return ranked;
  }
}

/** Machines of one text are alike to all rules and ranks but for their owner; null: they are like no other. */
function shapeText(facts: VmFacts): string | null {
  const kind = kindText(facts);
  const { vcpus, memoryMib, diskMib } = facts;
  return kind === null ? null : `${vcpus} ${memoryMib} ${diskMib} ${kind}`;
}
