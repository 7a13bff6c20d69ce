import type { Logger, Timers } from "@twentysix/platform";
import {
  isJsonObject,
  type JsonValue,
  memberOf,
  type NetworkDefinition,
  parseJson,
} from "@twentysix/protocol";
import type { PointReads } from "@twentysix/storage";

export interface AnnouncersOptions {
  readonly registry: Pick<NetworkDefinition["authorities"]["registry"], "address" | "key">;
  readonly reads: Pick<PointReads, "aggregates">;
  /** Its nodes come and go within minutes. */
  readonly isPrivate?: boolean;
  readonly timers: Timers;
  readonly log: Logger;
}

/** How often the registry is read again. Source: pyaleph `aleph.corechannel.cache_ttl`. */
const PERIOD_MS = 300_000;
const PRIVATE_PERIOD_MS = 10_000;

/**
 * Who is registered as a core node, of any status, and who runs it: in a public network only they are heeded when they
 * say where they are, and nodes of one owner count as one where files are placed. Source: pyaleph `src/aleph/services/peers/allowlist.py`.
 */
export class Announcers {
  readonly #options: AnnouncersOptions;
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;
  #operators: ReadonlyMap<string, string | null> = new Map();

  constructor(options: AnnouncersOptions) {
    this.#options = options;
    this.#done = options.timers.every(
      options.isPrivate === true ? PRIVATE_PERIOD_MS : PERIOD_MS,
      () => this.#read(),
      {
        signal: this.#ended.signal,
        immediately: true,
        // Those that were known stay known.
        onError: (error) => options.log.warn("The registry of nodes cannot be read", { error }),
      },
    );
  }

  has(peerId: string): boolean {
    return this.#operators.has(peerId);
  }

  /** The address that has registered a node; null: nobody has. */
  operatorOf(peerId: string): string | null {
    return this.#operators.get(peerId) ?? null;
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#done;
  }

  async #read(): Promise<void> {
    const { registry, reads } = this.#options;
    const [entry] = (await reads.aggregates(registry.address, [registry.key])) ?? [];
    const parsed = entry === undefined ? null : parseJson(entry.contentJson);
    this.#operators = operatorsOf(parsed?.ok === true ? parsed.value : null);
  }
}

/**
 * The peers that a `corechannel` aggregate names, and who owns each. Anyone can write the name of any peer into a
 * registration; so a peer belongs to whoever wrote it first.
 */
export function operatorsOf(content: JsonValue): ReadonlyMap<string, string | null> {
  const nodes = isJsonObject(content) ? memberOf(content, "nodes") : undefined;
  const operators = new Map<string, string | null>();
  const registrations = Array.isArray(nodes) ? nodes.flatMap(registrationOf) : [];
  for (const { peerId, owner } of registrations.sort((a, b) => a.timeSeconds - b.timeSeconds))
    if ((operators.get(peerId) ?? null) === null) operators.set(peerId, owner);
  return operators;
}

interface Registration {
  readonly peerId: string;
  readonly owner: string | null;
  readonly timeSeconds: number;
}

function registrationOf(node: JsonValue): Registration[] {
  if (!isJsonObject(node)) return [];
  const address = memberOf(node, "multiaddress");
  const parts = typeof address === "string" ? address.split("/p2p/") : [];
  const [, peerId = ""] = parts;
  if (parts.length !== 2 || peerId === "") return [];
  const owner = memberOf(node, "owner");
  const time = memberOf(node, "time");
  return [
    {
      peerId,
      owner: typeof owner === "string" ? owner : null,
      timeSeconds: typeof time === "number" ? time : Number.POSITIVE_INFINITY,
    },
  ];
}
