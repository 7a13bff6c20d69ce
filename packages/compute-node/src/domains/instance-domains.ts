import {
  type Clock,
  isAbortOf,
  type Logger,
  PlatformError,
  Semaphore,
  type Timers,
} from "@twentysix/platform";
import type { Execution } from "../executions/execution.ts";
import type { ResolveTxt } from "../functions/http/named-hosts.ts";
import type { CoreNodeClient } from "../messages/core-node-client.ts";
import { TtlCache } from "../messages/ttl-cache.ts";

export interface InstanceDomainsOptions {
  readonly executions: () => readonly Pick<Execution, "vmHash" | "owner" | "kind">[];
  readonly coreNodes: Pick<CoreNodeClient, "aggregate">;
  readonly resolveTxt: ResolveTxt;
  readonly timers: Pick<Timers, "withTimeout">;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Logger;
}

/** Key of the owner's aggregate that says which names stand for what. */
export const DOMAINS_KEY = "domains";

const CACHE = { ttlMs: 60_000, maxEntries: 1_000, staleMs: 0 };
const TIMEOUT_MS = 5_000;
const LOOKUPS = { permits: 16, maxWaiters: 64 };
const NAME = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/;

/**
 * Custom domains of instances. A name stands for a machine when its TXT record `_control.NAME` is the address of the
 * machine's owner, and the owner's aggregate `domains` names the machine for it: nobody serves a name that is not theirs.
 */
export class InstanceDomains {
  readonly #options: InstanceDomainsOptions;
  readonly #lookups = new Semaphore(LOOKUPS);
  #known: TtlCache<string | null>;

  constructor(options: InstanceDomainsOptions) {
    this.#options = options;
    this.#known = new TtlCache({ ...CACHE, clock: options.clock });
  }

  /** The machine of this node that a host name stands for; null: none, or nobody could say. */
  async find(host: string, signal: AbortSignal): Promise<string | null> {
    const name = host.toLowerCase().replace(/\.$/, "");
    if (!NAME.test(name) || this.#instances().length === 0) return null;
    try {
      return await this.#known.get(name, signal, (shared) => this.#lookUp(name, shared));
    } catch (error) {
      if (isAbortOf(signal, error)) throw error;
      if (!(error instanceof PlatformError)) {
        this.#options.log.warn("whose a domain is could not be asked", { name, error });
      }
      return null;
    }
  }

  /** An owner has changed what its names stand for. */
  forget(): void {
    this.#known = new TtlCache({ ...CACHE, clock: this.#options.clock });
  }

  async #lookUp(name: string, signal: AbortSignal): Promise<string | null> {
    const owners = await this.#lookups.run(() => this.#ownersOf(name, signal));
    for (const owner of owners) {
      const machines = this.#instances().filter((one) => one.owner.toLowerCase() === owner);
      const [first] = machines;
      if (first === undefined) continue;
      const aggregate = await this.#options.coreNodes.aggregate(first.owner, DOMAINS_KEY, signal);
      const wanted = machineOf(aggregate, name);
      if (machines.some(({ vmHash }) => vmHash === wanted)) return wanted;
    }
    return null;
  }

  /** Lower-case addresses that the name says it belongs to; none where it says nothing. */
  async #ownersOf(name: string, signal: AbortSignal): Promise<readonly string[]> {
    const { timers, resolveTxt } = this.#options;
    try {
      const records = await timers.withTimeout(TIMEOUT_MS, () => resolveTxt(`_control.${name}`), signal);
      return records.map((parts) => parts.join("").trim().toLowerCase());
    } catch (error) {
      signal.throwIfAborted();
      // Unknown names and servers that do not answer come in many codes, and mean the same now.
      this.#options.log.debug("a domain has no record of its owner", { name, error });
      return [];
    }
  }

  #instances(): readonly Pick<Execution, "vmHash" | "owner" | "kind">[] {
    return this.#options.executions().filter(({ kind }) => kind === "instance");
  }
}

/** Whatever is malformed counts as absent: owners delete an entry by writing null. */
function machineOf(aggregate: unknown, name: string): string | null {
  const entry = memberOf(aggregate, name);
  const hash = memberOf(entry, "message_id");
  return memberOf(entry, "type") === "instance" && typeof hash === "string" ? hash : null;
}

function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}
