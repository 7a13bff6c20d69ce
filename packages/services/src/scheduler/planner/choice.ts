import { hash } from "node:crypto";
import { asksMoreThanRoom, exclusionFrom, exclusionOfMoment, type RuleContext } from "./eligibility.ts";
import type { Exclusion } from "./exclusion.ts";
import type { NodeRoom } from "./node-room.ts";
import type { PlanVm } from "./plan-input.ts";
import { isBad, isRareFor, priceOf, scoreOf } from "./rank.ts";
import type { Rooms } from "./rooms.ts";

/** Compared member by member; the smaller one is the better. */
export type Rank = readonly number[];

export interface Choice {
  /** null: none can have it. */
  readonly nodeHash: string | null;
  /** Of each node why it cannot; none where one can. */
  readonly exclusions: readonly Exclusion[];
}

/** The best node for a machine. `except`: nodes that are out of question. */
export function chooseNode(
  vm: PlanVm,
  rooms: Rooms,
  context: RuleContext,
  except: readonly string[] = [],
): Choice {
  const isOut = (room: NodeRoom): boolean =>
    except.length > 0 && except.includes(room.node.registration.nodeHash);
  const chosen = byLot(vm, bestRooms(vm, rooms, context, isOut));
  if (chosen !== null) return { nodeHash: chosen.node.registration.nodeHash, exclusions: [] };
  const others = [...rooms.byNode.values()].filter((room) => !isOut(room));
  return { nodeHash: null, exclusions: others.flatMap((room) => exclusionFrom(vm, room, context) ?? []) };
}

/** All of the best rank. */
function bestRooms(
  vm: PlanVm,
  rooms: Rooms,
  context: RuleContext,
  isOut: (room: NodeRoom) => boolean,
): readonly NodeRoom[] {
  const ranked = asksMoreThanRoom(vm) ? null : rooms.rankedFor(vm, context);
  if (ranked !== null) return ranked.best(rooms.takings.ofOwner(vm.facts), isOut);
  const best = new BestRooms(questionOf(vm, rooms, context));
  for (const room of rooms.usableFor(vm, context)) {
    if (!isOut(room) && exclusionOfMoment(vm, room, context) === null) best.see(room);
  }
  return best.rooms;
}

/** Between equals chance decides, the same for everybody. */
function byLot({ facts }: PlanVm, rooms: readonly NodeRoom[]): NodeRoom | null {
  const [first = null] = rooms;
  if (rooms.length <= 1) return first;
  const lots = rooms.map((room) => ({
    room,
    lot: hash("sha256", `${facts.vmHash}${room.node.registration.nodeHash}`),
  }));
  return lots.reduce((best, one) => (one.lot < best.lot ? one : best)).room;
}

/**
 * How well a node suits: rare hardware is left to those who need it, then what its owner wants apart is apart, then
 * the load is spread, then better and cheaper nodes come first.
 */
export function rankOf(vm: PlanVm, room: NodeRoom, rooms: Rooms, context: RuleContext): Rank {
  const question = questionOf(vm, rooms, context);
  return MEMBERS.map((member) => member(question, room));
}

/** A machine that looks for a node, with what is the same for all nodes. */
interface Question {
  readonly vm: PlanVm;
  /** How many machines of its owner the rooms have. */
  readonly owned: ReadonlyMap<NodeRoom, number>;
  readonly context: RuleContext;
  /** Rooms with machines that its owner wants apart from it. */
  readonly apart: readonly NodeRoom[];
}

function questionOf(vm: PlanVm, { byNode, takings }: Rooms, context: RuleContext): Question {
  const spreadWith = vm.wishes?.spreadWith ?? [];
  const apart =
    spreadWith.length === 0
      ? []
      : [...byNode.values()].filter(({ vms }) => spreadWith.some((vmHash) => vms.has(vmHash)));
  return { vm, owned: takings.ofOwner(vm.facts), context, apart };
}

type RankMember = (question: Question, room: NodeRoom) => number;

/** The members of a rank, the weightiest first: most nodes are told apart by the first that differs. */
const MEMBERS: readonly RankMember[] = [
  ({ context }, { node }) => (isBad(node, context) ? 1 : 0),
  ({ apart }, room) => countOf(apart, (other) => other !== room && other.host === room.host),
  ({ apart }, room) => countOf(apart, (other) => isNear(other, room)),
  ({ vm: { facts } }, room) => (isRareFor(facts, room) ? 1 : 0),
  ({ owned }, room) => owned.get(room) ?? 0,
  ({ vm: { facts } }, room) => -room.freePercentWith(facts),
  (_, { node }) => -scoreOf(node),
  (_, { node }) => priceOf(node),
];

/** Another room of the same failure domain: host or owner of the node. */
function isNear(other: NodeRoom, room: NodeRoom): boolean {
  if (other === room) return false;
  const { owner } = room.node.registration;
  return other.host === room.host || (owner !== null && other.node.registration.owner === owner);
}

const countOf = <Item>(items: readonly Item[], matches: (item: Item) => boolean): number =>
  items.length === 0 ? 0 : items.filter(matches).length;

/** The rooms with the smallest rank among those that were seen. */
class BestRooms {
  readonly #question: Question;
  readonly #rank: number[] = [];
  rooms: NodeRoom[] = [];

  constructor(question: Question) {
    this.#question = question;
  }

  see(room: NodeRoom): void {
    let index = 0;
    for (const member of MEMBERS) {
      const value = member(this.#question, room);
      const best = this.#rank[index] ?? Number.POSITIVE_INFINITY;
      if (value > best) return;
      if (value < best) {
        this.#take(room, index, value);
        return;
      }
      index += 1;
    }
    this.rooms.push(room);
  }

  /** It is better than all before it from a member on. */
  #take(room: NodeRoom, from: number, value: number): void {
    this.rooms = [room];
    this.#rank.length = from;
    this.#rank.push(value);
    for (const member of MEMBERS.slice(from + 1)) this.#rank.push(member(this.#question, room));
  }
}
