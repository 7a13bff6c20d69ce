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
  readonly timers: Timers;
  readonly log: Logger;
}

/** How often the registry is read again. Source: pyaleph `aleph.corechannel.cache_ttl`. */
const PERIOD_MS = 300_000;

/**
 * Who is registered as a core node, of any status: in a public network only they are heeded when they say where they
 * are. Source: pyaleph `src/aleph/services/peers/allowlist.py`.
 */
export class Announcers {
  readonly #options: AnnouncersOptions;
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;
  #peerIds: ReadonlySet<string> = new Set();

  constructor(options: AnnouncersOptions) {
    this.#options = options;
    this.#done = options.timers.every(PERIOD_MS, () => this.#read(), {
      signal: this.#ended.signal,
      immediately: true,
      // Those that were known stay known.
      onError: (error) => options.log.warn("The registry of nodes cannot be read", { error }),
    });
  }

  has(peerId: string): boolean {
    return this.#peerIds.has(peerId);
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#done;
  }

  async #read(): Promise<void> {
    const { registry, reads } = this.#options;
    const [entry] = (await reads.aggregates(registry.address, [registry.key])) ?? [];
    const parsed = entry === undefined ? null : parseJson(entry.contentJson);
    this.#peerIds = new Set(parsed?.ok === true ? peerIdsOf(parsed.value) : []);
  }
}

/** The names of peers in a `corechannel` aggregate. */
export function peerIdsOf(content: JsonValue): readonly string[] {
  const nodes = isJsonObject(content) ? memberOf(content, "nodes") : undefined;
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node: JsonValue) => {
    const address = isJsonObject(node) ? memberOf(node, "multiaddress") : undefined;
    const parts = typeof address === "string" ? address.split("/p2p/") : [];
    return parts.length === 2 && parts[1] !== undefined && parts[1] !== "" ? [parts[1]] : [];
  });
}
