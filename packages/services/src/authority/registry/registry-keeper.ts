import { type Account, type JsonObject, memberOf, stringifyCanonicalJson } from "@twentysix/protocol";
import { fetchAggregate, listMessages } from "@twentysix/sdk";
import type { AuthorityContext } from "../context.ts";
import { corechannelContent } from "./corechannel.ts";
import { EventSource } from "./event-source.ts";
import { Registry } from "./registry.ts";
import { registryRules } from "./rules.ts";

/**
 * Keeps the registry of nodes as the network's messages have it. It is computed anew from all of them each time, so
 * that it is the same whatever arrived in which order, and after a restart; and it is published when it differs from
 * what the network has.
 */
export class RegistryKeeper {
  readonly #context: AuthorityContext;
  readonly #account: Account;
  readonly #source: EventSource;
  /** Item hashes of operations whose having no effect was told. */
  readonly #told = new Set<string>();

  constructor(context: AuthorityContext, account: Account) {
    const { connection, definition, clock } = context;
    this.#context = context;
    this.#account = account;
    this.#source = new EventSource(connection, definition, clock);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { definition, connection, publisher } = this.#context;
    const registry = await this.#compute(signal);
    const content = corechannelContent(registry);
    await publisher.settleEarlier(signal);
    const { key } = definition.authorities.registry;
    const inForce = await fetchAggregate(connection, { address: this.#account.address, key, signal });
    const isEmpty = registry.coreNodes.size + registry.computeNodes.size === 0;
    if (inForce === null ? isEmpty : isSame(content, inForce)) return;
    await this.#publish(registry, content, signal);
  }

  async #compute(signal: AbortSignal): Promise<Registry> {
    const { definition, log } = this.#context;
    const registry = new Registry(registryRules(definition));
    for (const event of await this.#source.read(signal)) {
      const ignored = registry.apply(event);
      if (ignored === null || event.kind !== "operation" || this.#told.has(event.itemHash)) continue;
      this.#told.add(event.itemHash);
      log.info("an operation on the registry of nodes has no effect", {
        itemHash: event.itemHash,
        address: event.address,
        reason: ignored,
      });
    }
    return registry;
  }

  async #publish(registry: Registry, content: JsonObject, signal: AbortSignal): Promise<void> {
    const { definition, publisher, log } = this.#context;
    const { key } = definition.authorities.registry;
    const itemHash = await publisher.publish(
      {
        account: this.#account,
        type: "AGGREGATE",
        content: { key, content },
        timeMicros: await this.#nextTimeMicros(key, signal),
      },
      signal,
    );
    const { coreNodes, computeNodes } = registry;
    log.info("published the registry of nodes", {
      coreNodes: coreNodes.size,
      computeNodes: computeNodes.size,
      itemHash,
    });
  }

  /** Elements count in the order of their times: one before the last, by a clock that was set back, would not. */
  async #nextTimeMicros(key: string, signal: AbortSignal): Promise<bigint> {
    const { connection } = this.#context;
    const { address, timeStepMicros } = this.#account;
    const { items } = await listMessages(connection, {
      types: ["AGGREGATE"],
      owners: [address],
      contentKeys: [key],
      pageSize: 1,
      signal,
    });
    const nowMicros = connection.clock.next(timeStepMicros);
    const [last] = items;
    if (last === undefined) return nowMicros;
    const lastMicros = BigInt(Math.round(last.time * 1e6));
    return nowMicros > lastMicros ? nowMicros : lastMicros + timeStepMicros;
  }
}

/** Member by member: what others wrote into the aggregate beside them is none of ours. */
function isSame(content: JsonObject, inForce: JsonObject): boolean {
  return Object.entries(content).every(([name, value]) => {
    const other = memberOf(inForce, name);
    return other !== undefined && stringifyCanonicalJson(other) === stringifyCanonicalJson(value);
  });
}
