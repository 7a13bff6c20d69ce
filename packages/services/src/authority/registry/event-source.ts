import type { NetworkDefinition } from "@twentysix/protocol";
import { type Connection, iterateMessages, type MessageFilter, type MessageObject } from "@twentysix/sdk";
import { type BalancesEvent, compareEvents, type RegistryEvent } from "./events.ts";
import { type EventReader, readBalances, readOperation, readScores } from "./read-event.ts";

/** Balances are published every hour, and few of those posts are new: all of them are read only so often. */
const FULL_BALANCES_MS = 3_600_000;

/** Reads what the registry is made of from the API of a node. */
export class EventSource {
  readonly #connection: Connection;
  readonly #definition: Pick<NetworkDefinition, "authorities">;
  readonly #reader: EventReader;
  readonly #monotonicMs: () => number;
  #balances = new Map<string, BalancesEvent | null>();
  #balancesReadMs: number | null = null;

  constructor(
    connection: Connection,
    definition: Pick<NetworkDefinition, "authorities" | "switches">,
    monotonicMs: () => number,
  ) {
    this.#connection = connection;
    this.#definition = definition;
    this.#monotonicMs = monotonicMs;
    this.#reader = {
      operationPostType: definition.authorities.registry.operationPostType,
      byHeight: !definition.switches.canonicalOrder,
    };
  }

  /** Everything that the node has by now, in the order in which it counts. */
  async read(signal: AbortSignal): Promise<readonly RegistryEvent[]> {
    const { registry, scoring } = this.#definition.authorities;
    const tags = [registry.operationTag];
    const events: RegistryEvent[] = [...(await this.#readBalances(signal))];
    const operations = { contentTypes: [registry.operationPostType, "amend"], tags };
    for await (const message of this.#posts(operations, signal)) {
      const event = readOperation(message, this.#reader);
      if (event !== null) events.push(event);
    }
    const scores = { contentTypes: [scoring.scoresPostType], owners: scoring.addresses, tags };
    for await (const message of this.#posts(scores, signal)) {
      const event = readScores(message, this.#reader);
      if (event !== null) events.push(event);
    }
    return events.sort(compareEvents);
  }

  async #readBalances(signal: AbortSignal): Promise<readonly BalancesEvent[]> {
    const { balances } = this.#definition.authorities;
    const nowMs = this.#monotonicMs();
    const isFull = this.#balancesReadMs === null || nowMs - this.#balancesReadMs >= FULL_BALANCES_MS;
    const known = isFull ? new Map<string, BalancesEvent | null>() : this.#balances;
    const filter = { contentTypes: [balances.postType], owners: balances.addresses };
    for await (const message of this.#posts(filter, signal)) {
      if (known.has(message.item_hash)) break;
      known.set(message.item_hash, readBalances(message, this.#reader));
    }
    this.#balances = known;
    if (isFull) this.#balancesReadMs = nowMs;
    return [...known.values()].filter((event) => event !== null);
  }

  /** The newest first. */
  #posts(filter: MessageFilter, signal: AbortSignal): AsyncIterable<MessageObject> {
    return iterateMessages(this.#connection, { ...filter, types: ["POST"], order: "descending", signal });
  }
}
