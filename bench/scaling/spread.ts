import { type Random, shuffled } from "@twentysix/platform";

/** A network of the model: who is connected, and who is in whose mesh. */
export interface ModelNetwork {
  readonly nodes: number;
  /** A publisher sends to all of these. */
  readonly connections: readonly (readonly number[])[];
  /** Each node passes on to these. */
  readonly mesh: readonly (readonly number[])[];
}

export interface SpreadOptions {
  readonly network: ModelNetwork;
  readonly random: Random;
  /** One way between two nodes, drawn for each pair. */
  readonly linkMs: (random: Random) => number;
  /** From a first copy until it is passed on. */
  readonly lookMs: number;
}

export interface Spread {
  /** Copies that a node receives, mean. */
  readonly copies: number;
  /** Until a share of the nodes has the message, from its publication. */
  readonly reachedMs: (share: number) => number;
}

/** Source: libp2p `gossipsub-v1.0`, D and its bounds as in packages/network/src/gossip.ts. */
const MESH_DEGREE = 6;
const MESH_HIGH = 12;
/** Source: packages/network/src/start-network.ts. */
const MAX_CONNECTIONS = 300;

/**
 * Everybody is connected with everybody, up to the bound on connections. Each node grafts as many as it wants when it
 * joins, and is grafted by those that join later while it has room, which it keeps: most have more than they want.
 */
export function modelNetwork(nodes: number, random: Random): ModelNetwork {
  const connections = symmetric(nodes, Math.min(nodes - 1, MAX_CONNECTIONS / 2), MAX_CONNECTIONS, random);
  return { nodes, connections, mesh: within(connections, random) };
}

function symmetric(nodes: number, wanted: number, most: number, random: Random): number[][] {
  if (nodes - 1 <= most) return Array.from({ length: nodes }, (_one, self) => everyoneBut(nodes, self));
  const sets = Array.from({ length: nodes }, () => new Set<number>());
  for (let self = 0; self < nodes; self += 1)
    for (let tries = 0; tries < wanted; tries += 1) link(sets, self, random.uniform(nodes), most);
  return sets.map((set) => [...set]);
}

function within(connections: readonly (readonly number[])[], random: Random): number[][] {
  const sets = connections.map(() => new Set<number>());
  for (const [self, others] of connections.entries())
    for (const other of shuffled(random, others).slice(0, MESH_DEGREE)) link(sets, self, other, MESH_HIGH);
  return sets.map((set) => [...set]);
}

function link(sets: readonly Set<number>[], one: number, other: number, most: number): void {
  const [mine, theirs] = [sets[one], sets[other]];
  if (one === other || mine === undefined || theirs === undefined) return;
  if (mine.size >= most || theirs.size >= most) return;
  mine.add(other);
  theirs.add(one);
}

const everyoneBut = (nodes: number, self: number): number[] =>
  Array.from({ length: nodes }, (_one, index) => index).filter((index) => index !== self);

/** One message from one node to all. */
export function spread({ network, random, linkMs, lookMs }: SpreadOptions): Spread {
  const reachedAt = new Map<number, number>();
  const queue = new TimeQueue();
  const delays = new Map<string, number>();
  const delayOf = (one: number, other: number): number => {
    const key = one < other ? `${one} ${other}` : `${other} ${one}`;
    const known = delays.get(key) ?? linkMs(random);
    delays.set(key, known);
    return known;
  };
  let copies = 0;
  const publisher = random.uniform(network.nodes);
  reachedAt.set(publisher, 0);
  // A publisher does not leave it to its mesh.
  for (const to of network.connections[publisher] ?? [])
    queue.push({ atMs: delayOf(publisher, to), from: publisher, to });
  for (let arrival = queue.pop(); arrival !== undefined; arrival = queue.pop()) {
    const { atMs, from, to } = arrival;
    copies += 1;
    if (reachedAt.has(to)) continue;
    reachedAt.set(to, atMs);
    for (const next of network.mesh[to] ?? [])
      if (next !== from) queue.push({ atMs: atMs + lookMs + delayOf(to, next), from: to, to: next });
  }
  const times = [...reachedAt.values()].sort((a, b) => a - b);
  return {
    copies: copies / network.nodes,
    reachedMs: (share) => times[Math.ceil(share * network.nodes) - 1] ?? Number.POSITIVE_INFINITY,
  };
}

interface Arrival {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
}

/** A heap: the earliest first. */
class TimeQueue {
  readonly #heap: Arrival[] = [];

  push(arrival: Arrival): void {
    this.#heap.push(arrival);
    for (let at = this.#heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (this.#at(parent) <= this.#at(at)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): Arrival | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || this.#heap.length === 0) return first;
    this.#heap[0] = last;
    for (let at = 0; ; ) {
      const [left, right] = [at * 2 + 1, at * 2 + 2];
      const least = [left, right].reduce(
        (best, child) => (this.#at(child) < this.#at(best) ? child : best),
        at,
      );
      if (least === at) return first;
      this.#swap(at, least);
      at = least;
    }
  }

  #at(index: number): number {
    return this.#heap[index]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (a === undefined || b === undefined) return;
    this.#heap[one] = b;
    this.#heap[other] = a;
  }
}
