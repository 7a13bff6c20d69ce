import type { ContentSwitches } from "@twentysix/protocol";
import {
  type Connection,
  fetchAggregate,
  getStatus,
  isSdkError,
  iterateMessages,
  listAggregates,
} from "@twentysix/sdk";
import type { NodeRegistration } from "../model/node.ts";
import type { Wishes } from "../model/vm.ts";
import { type CurrentVms, currentVms } from "./current-versions.ts";
import { readRegistrations } from "./registrations.ts";
import { readVmVersion, type VmVersion } from "./vm-facts.ts";
import { readWishes } from "./wishes.ts";

export const MACHINE_TYPES = ["INSTANCE", "PROGRAM", "V-PROGRAM"];
const OLDER_TYPES = ["INSTANCE", "PROGRAM"];
const WISHES_KEY = "placement";
/** Owners that are asked for at once: their addresses are in the address of the request. */
const OWNERS_AT_ONCE = 100;

export interface MessageSourceOptions {
  readonly connection: Connection;
  readonly switches: ContentSwitches;
  readonly registry: { readonly address: string; readonly key: string };
}

/** Asks a core node what the scheduler's decisions rest on. */
export class MessageSource {
  readonly #options: MessageSourceOptions;

  constructor(options: MessageSourceOptions) {
    this.#options = options;
  }

  /** All machines whose messages are in force. Errors: those of the SDK's `iterateMessages`. */
  async snapshot(signal: AbortSignal): Promise<CurrentVms> {
    try {
      return currentVms(await this.#versions(MACHINE_TYPES, signal));
    } catch (error) {
      // Older nodes know no verifiable programs, and refuse to filter by them. The next time it may be another node.
      const isUnknownType = isSdkError(error, "SDK_HTTP_ERROR") && [400, 422].includes(error.details.status);
      if (!isUnknownType) throw error;
      return currentVms(await this.#versions(OLDER_TYPES, signal));
    }
  }

  async #versions(types: readonly string[], signal: AbortSignal): Promise<readonly VmVersion[]> {
    const { connection, switches } = this.#options;
    const versions: VmVersion[] = [];
    const statuses = ["processed", "removing"] as const;
    const filter = { types, statuses, order: "ascending", signal } as const;
    for await (const message of iterateMessages(connection, filter)) {
      const version = readVmVersion(message, switches);
      if (version !== null) versions.push(version);
    }
    return versions;
  }

  /** Why a machine is not in force any more; null: it is, or nobody knows. */
  async endOf(vmHash: string, signal: AbortSignal): Promise<"deleted" | "payment_removed" | null> {
    const view = await getStatus(this.#options.connection, { itemHash: vmHash, signal });
    if (view?.status === "removed") return "payment_removed";
    return view?.status === "forgotten" || view?.status === "rejected" ? "deleted" : null;
  }

  /** null: the registry is not there, or empty. */
  async registrations(signal: AbortSignal): Promise<readonly NodeRegistration[] | null> {
    const { connection, registry } = this.#options;
    const aggregate = await fetchAggregate(connection, { ...registry, signal });
    const nodes = aggregate === null ? [] : readRegistrations(aggregate);
    return nodes.length === 0 ? null : nodes;
  }

  /** What these owners wish, by owner and machine; whatever others have published costs nothing. */
  async wishes(
    owners: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, ReadonlyMap<string, Wishes>>> {
    const found = new Map<string, ReadonlyMap<string, Wishes>>();
    for (let first = 0; first < owners.length; first += OWNERS_AT_ONCE) {
      const some = owners.slice(first, first + OWNERS_AT_ONCE);
      const query = { keys: [WISHES_KEY], owners: some, pageSize: OWNERS_AT_ONCE, signal };
      const { items } = await listAggregates(this.#options.connection, query);
      for (const { address, content } of items) found.set(address, readWishes(content));
    }
    return found;
  }
}
