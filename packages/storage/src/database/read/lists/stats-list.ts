import { MESSAGE_TYPES, type MessageType } from "@twentysix/protocol";
import type { SqlConnection } from "../../sql/connection.ts";
import type { CounterRow } from "../counters.ts";
import { type CursorScope, decodeCursor, encodeCursor, filterDigest } from "../cursor.ts";
import type { Dictionary } from "../dictionary.ts";
import type { ReadBudget } from "../read-budget.ts";
import type { AddressStats, AddressStatsQuery, CursorPage, JsonText, ListPage } from "../types.ts";
import {
  type BoundedPageRequest,
  type ChunkRequest,
  EMPTY_PAGE,
  type ListReader,
  renderKeys,
  totalOf,
} from "./list-reader.ts";
import { countStats, locateStats, noMessages, type StatsKey, statsOfKeys } from "./stats-sql.ts";

/** Keys that are located at once for a walk: each time all addresses are gone over. */
const WALK_KEYS = 50_000;
/** Keys whose counts are fetched at once. */
const SLICE_KEYS = 500;

/** How many messages each address sent, out of the counters of senders. */
export class StatsList implements ListReader<AddressStatsQuery> {
  readonly #connection: SqlConnection;
  /** What is located of the list after the newest cursor, so that a walk does not sort everything at each step. */
  #rest: { readonly cursor: string; readonly keys: readonly StatsKey[]; readonly isEnd: boolean } | null =
    null;

  constructor(connection: SqlConnection) {
    this.#connection = connection;
  }

  page(query: AddressStatsQuery, request: BoundedPageRequest, budget: ReadBudget): ListPage {
    if (!isPossible(query)) return EMPTY_PAGE;
    const { page, pageSize } = request;
    const skip = (page - 1) * pageSize;
    const keys = locateStats(this.#connection, query, null, { limit: pageSize, skip });
    budget.checkpoint();
    const { items, done, last } = this.#render(keys, request);
    const counted = totalOf(request, keys.length, () => ({
      total: countStats(this.#connection, query),
      approximate: false,
    }));
    const left = keys.length - done;
    const rest = left === 0 || last === undefined ? null : { cursor: encode(query, last), items: left };
    return { items, rest, ...counted };
  }

  cursor(query: AddressStatsQuery, request: ChunkRequest, budget: ReadBudget): CursorPage {
    const position = decodeCursor(scopeOf(query), request.cursor);
    if (!isPossible(query)) return { items: [], nextCursor: null };
    const known = this.#rest?.cursor === request.cursor ? this.#rest : null;
    const limit = request.pageSize + 1;
    let keys = known?.keys ?? [];
    let isEnd = known?.isEnd ?? false;
    if (keys.length < limit && !isEnd) {
      const after =
        position === null ? null : { rank: Number(position.times[0]), address: position.texts[0] ?? "" };
      // A first step may be the only one; whoever comes back walks.
      const wanted = position === null ? limit : Math.max(limit, WALK_KEYS);
      keys = locateStats(this.#connection, query, after, { limit: wanted });
      isEnd = keys.length < wanted;
      budget.checkpoint();
    }
    const { items, done, last } = this.#render(keys.slice(0, request.pageSize), request);
    if (last === undefined || done === keys.length) return this.#end(items);
    const nextCursor = encode(query, last);
    this.#rest = { cursor: nextCursor, keys: keys.slice(done), isEnd };
    return { items, nextCursor };
  }

  #end(items: CursorPage["items"]): CursorPage {
    this.#rest = null;
    return { items, nextCursor: null };
  }

  /** Counts are fetched a slice at a time, as far as the answer goes. */
  #render(
    keys: readonly StatsKey[],
    { maxBytes = Number.POSITIVE_INFINITY }: Pick<ChunkRequest, "maxBytes">,
  ) {
    const items: JsonText[] = [];
    let bytes = 0;
    let done = 0;
    while (done < keys.length && bytes < maxBytes) {
      const slice = keys.slice(done, done + SLICE_KEYS);
      const stats = new Map(statsOfKeys(this.#connection, slice).map((one) => [one.address, one]));
      const rendered = renderKeys(
        slice,
        ({ address }) => {
          const found = stats.get(address);
          return found === undefined ? null : renderStats(found);
        },
        { maxBytes: maxBytes - bytes },
      );
      for (const item of rendered.items) {
        items.push(String(item));
        bytes += String(item).length;
      }
      done += rendered.done;
    }
    return { items, done, last: keys[done - 1] };
  }
}

/** No address that is stored holds a NUL, and not every engine takes one as a parameter. */
const isPossible = ({ contains = "" }: AddressStatsQuery): boolean => !contains.includes("\0");

/** Sender counters, one entry an address. */
export function statsOfCounters(rows: readonly CounterRow[], addresses: Dictionary): AddressStats[] {
  const byAddress = new Map<number, Record<MessageType, number>>();
  for (const { a, b, n } of rows) {
    const type = MESSAGE_TYPES[b];
    if (type === undefined || n === 0) continue;
    const byType = byAddress.get(a) ?? noMessages();
    byType[type] += n;
    byAddress.set(a, byType);
  }
  return [...byAddress].map(([id, byType]) => ({
    address: addresses.nameOf(id),
    messages: Object.values(byType).reduce((sum, n) => sum + n, 0),
    byType,
  }));
}

/** `"0xA":{...}` with the seven members that clients know; the total covers every type. */
export function renderStats({ address, messages, byType }: AddressStats): JsonText {
  return `${JSON.stringify(address)}:{"messages":${messages},"aggregate":${byType.AGGREGATE},"forget":${byType.FORGET},"instance":${byType.INSTANCE},"post":${byType.POST},"program":${byType.PROGRAM},"store":${byType.STORE}}`;
}

function encode(query: AddressStatsQuery, { rank, address }: StatsKey): string {
  return encodeCursor(scopeOf(query), { times: [BigInt(rank)], texts: [address] });
}

function scopeOf({ contains, sortBy, direction }: AddressStatsQuery): CursorScope {
  return {
    list: "stats",
    order: `${sortBy} ${direction}`,
    digest: filterDigest({ contains }),
    times: 1,
    texts: 1,
  };
}
