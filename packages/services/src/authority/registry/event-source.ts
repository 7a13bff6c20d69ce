import type { Clock } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import { type Connection, iterateMessages, type MessageFilter, type MessageObject } from "@twentysix/sdk";
import {
  type BalancesEvent,
  compareEvents,
  type OperationEvent,
  type RegistryEvent,
  type ScoresEvent,
} from "./events.ts";
import { KnownPosts } from "./known-posts.ts";
import { type EventReader, readBalances, readOperation, readScores } from "./read-event.ts";

/** Balances are published every hour, and few of those posts are new: all of them are read only so often. */
const FULL_BALANCES_MS = 3_600_000;
/** Known publications that are read again in between, in case they are confirmed by now. */
const MAX_UNCONFIRMED = 200;

/** Reads what the registry is made of from the API of a node. */
export class EventSource {
  readonly #connection: Connection;
  readonly #definition: Pick<NetworkDefinition, "authorities">;
  readonly #reader: EventReader;
  readonly #clock: Pick<Clock, "monotonicMs" | "nowMicros">;
  readonly #operations: KnownPosts<OperationEvent>;
  readonly #scores: KnownPosts<ScoresEvent>;
  #balances = new Map<string, BalancesEvent | null>();
  #balancesReadMs: number | null = null;

  constructor(
    connection: Connection,
    definition: Pick<NetworkDefinition, "authorities" | "switches">,
    clock: Pick<Clock, "monotonicMs" | "nowMicros">,
  ) {
    this.#connection = connection;
    this.#definition = definition;
    this.#clock = clock;
    this.#reader = {
      operationPostType: definition.authorities.registry.operationPostType,
      byHeight: !definition.switches.canonicalOrder,
    };
    const { registry, scoring } = definition.authorities;
    const tags = [registry.operationTag];
    const common = {
      posts: (filter: MessageFilter, signal: AbortSignal) => this.#posts(filter, signal),
      isSettled: (event: RegistryEvent) => this.#isSettled(event),
      clock,
    };
    this.#operations = new KnownPosts({
      ...common,
      filter: { contentTypes: [registry.operationPostType, "amend"], tags },
      toEvent: (message) => readOperation(message, this.#reader),
    });
    this.#scores = new KnownPosts({
      ...common,
      filter: { contentTypes: [scoring.scoresPostType], owners: scoring.addresses, tags },
      toEvent: (message) => readScores(message, this.#reader),
    });
  }

  /** Everything that the node has by now, in the order in which it counts. */
  async read(signal: AbortSignal): Promise<readonly RegistryEvent[]> {
    const events: readonly RegistryEvent[] = [
      ...(await this.#readBalances(signal)),
      ...(await this.#operations.read(signal)),
      ...(await this.#scores.read(signal)),
    ];
    return events.toSorted(compareEvents);
  }

  async #readBalances(signal: AbortSignal): Promise<readonly BalancesEvent[]> {
    const { balances } = this.#definition.authorities;
    const nowMs = this.#clock.monotonicMs();
    const isFull = this.#balancesReadMs === null || nowMs - this.#balancesReadMs >= FULL_BALANCES_MS;
    const known = isFull ? new Map<string, BalancesEvent | null>() : this.#balances;
    // What was read before it broke off counts as unknown: between it and what is known there is a gap.
    const read = new Map<string, BalancesEvent | null>();
    let unconfirmed = 0;
    const filter = { contentTypes: [balances.postType], owners: balances.addresses };
    for await (const message of this.#posts(filter, signal)) {
      const before = known.get(message.item_hash);
      if (before !== undefined && (this.#isSettled(before) || ++unconfirmed > MAX_UNCONFIRMED)) break;
      read.set(message.item_hash, readBalances(message, this.#reader));
    }
    this.#balances = new Map([...known, ...read]);
    if (isFull) this.#balancesReadMs = nowMs;
    return [...this.#balances.values()].filter((event) => event !== null);
  }

  /** Whether its place among the others is known for good. */
  #isSettled(event: RegistryEvent | null): boolean {
    return event === null || !this.#reader.byHeight || event.height !== null;
  }

  /** The newest first. */
  #posts(filter: MessageFilter, signal: AbortSignal): AsyncIterable<MessageObject> {
    return iterateMessages(this.#connection, { ...filter, types: ["POST"], order: "descending", signal });
  }
}
