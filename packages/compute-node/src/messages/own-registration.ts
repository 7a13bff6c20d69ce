import type { Logger, Timers } from "@twentysix/platform";
import { isJsonObject, type JsonObject, memberOf } from "@twentysix/protocol";
import type { CoreNodeClient } from "./core-node-client.ts";

export interface OwnRegistrationOptions {
  /** null: the network has no registry of nodes. */
  readonly registry: { readonly address: string; readonly key: string } | null;
  /** Of this node; null: not known yet. */
  readonly nodeHash: () => string | null;
  readonly coreNodes: Pick<CoreNodeClient, "aggregate">;
  readonly timers: Pick<Timers, "every">;
  readonly log: Logger;
}

const PERIOD_MS = 60_000;

/** What the network's registry says of this node: schedulers go by it, and so does the node. */
export class OwnRegistration {
  readonly #options: OwnRegistrationOptions;
  #termsAndConditions: string | null = null;

  constructor(options: OwnRegistrationOptions) {
    this.#options = options;
  }

  /** Item hash of the terms that its owner announces; null: none, or not read yet. */
  get termsAndConditions(): string | null {
    return this.#termsAndConditions;
  }

  /** Reads it again and again, until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { timers, log } = this.#options;
    const onError = (error: unknown): void =>
      log.warn("the registry of nodes could not be read: what it said before counts", { error });
    await timers.every(PERIOD_MS, () => this.read(signal), { signal, onError, immediately: true });
  }

  async read(signal: AbortSignal): Promise<void> {
    const { registry, nodeHash, coreNodes } = this.#options;
    const hash = nodeHash();
    if (registry === null || hash === null) return;
    const aggregate = await coreNodes.aggregate(registry.address, registry.key, signal);
    const own = aggregate === null ? null : entryOf(aggregate, hash);
    const terms = own === null ? undefined : memberOf(own, "terms_and_conditions");
    this.#termsAndConditions = typeof terms === "string" && terms !== "" ? terms : null;
  }
}

function entryOf(registry: JsonObject, nodeHash: string): JsonObject | null {
  const nodes = memberOf(registry, "resource_nodes");
  const entries = Array.isArray(nodes) ? nodes.filter((node) => isJsonObject(node)) : [];
  return entries.find((node) => memberOf(node, "hash") === nodeHash) ?? null;
}
