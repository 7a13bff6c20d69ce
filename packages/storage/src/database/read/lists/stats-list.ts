import { MESSAGE_TYPES, type MessageType } from "@twentysix/protocol";
import type { CounterRow, Counters } from "../counters.ts";
import {
  type CursorPosition,
  type CursorScope,
  decodeCursor,
  encodeCursor,
  filterDigest,
} from "../cursor.ts";
import type { Dictionary } from "../dictionary.ts";
import type { ReadBudget } from "../read-budget.ts";
import type { AddressStats, AddressStatsQuery, CursorPage, JsonText, ListPage } from "../types.ts";
import {
  type BoundedPageRequest,
  type ChunkRequest,
  cursorPage,
  firstOfPage,
  type ListReader,
} from "./list-reader.ts";

/** How many messages each address sent, out of the counters of senders. */
export class StatsList implements ListReader<AddressStatsQuery> {
  readonly #counters: Counters;
  readonly #addresses: Dictionary;
  /** What is left of the list after the newest cursor, so that a walk does not sort everything at each step. */
  #rest: { readonly cursor: string; readonly sorted: readonly AddressStats[] } | null = null;

  constructor(counters: Counters, addresses: Dictionary) {
    this.#counters = counters;
    this.#addresses = addresses;
  }

  page(query: AddressStatsQuery, request: BoundedPageRequest, budget: ReadBudget): ListPage {
    const { page, pageSize } = request;
    const sorted = this.#sorted(query, budget);
    const wanted = sorted.slice((page - 1) * pageSize, page * pageSize);
    const first = firstOfPage(wanted, request, renderStats, encoderOf(query));
    return { ...first, total: sorted.length, approximate: false };
  }

  cursor(query: AddressStatsQuery, request: ChunkRequest, budget: ReadBudget): CursorPage {
    const scope = scopeOf(query);
    const position = decodeCursor(scope, request.cursor);
    const sorted =
      position === null ? this.#sorted(query, budget) : this.#after(query, position, request, budget);
    const located = sorted.slice(0, request.pageSize + 1);
    const page = cursorPage(located, request, renderStats, encoderOf(query));
    this.#rest =
      page.nextCursor === null ? null : { cursor: page.nextCursor, sorted: sorted.slice(page.items.length) };
    return page;
  }

  /** The walk that asked last goes on where it was; any other place is searched in the whole list. */
  #after(
    query: AddressStatsQuery,
    position: CursorPosition,
    { cursor }: ChunkRequest,
    budget: ReadBudget,
  ): readonly AddressStats[] {
    if (this.#rest?.cursor === cursor) return this.#rest.sorted;
    const sorted = this.#sorted(query, budget);
    const rank = Number(position.times[0]);
    const address = position.texts[0] ?? "";
    const sign = query.direction === "desc" ? -1 : 1;
    const start = sorted.findIndex((stats) => {
      const distance = (rankOf(stats, query) - rank) * sign;
      return distance > 0 || (distance === 0 && stats.address > address);
    });
    return start < 0 ? [] : sorted.slice(start);
  }

  #sorted(query: AddressStatsQuery, budget: ReadBudget): AddressStats[] {
    const part = query.contains?.toLowerCase();
    const all = statsOfCounters(this.#counters.all("sender"), this.#addresses);
    budget.checkpoint();
    const sign = query.direction === "desc" ? -1 : 1;
    return all
      .filter(({ address }) => part === undefined || address.toLowerCase().includes(part))
      .sort((a, b) => {
        const distance = rankOf(a, query) - rankOf(b, query);
        if (distance !== 0) return distance * sign;
        return a.address < b.address ? -1 : 1;
      });
  }
}

/** Sender counters, one entry an address. */
export function statsOfCounters(rows: readonly CounterRow[], addresses: Dictionary): AddressStats[] {
  const byAddress = new Map<number, Record<MessageType, number>>();
  for (const { a, b, n } of rows) {
    const type = MESSAGE_TYPES[b];
    if (type === undefined || n === 0) continue;
    let byType = byAddress.get(a);
    if (byType === undefined) {
      byType = Object.fromEntries(MESSAGE_TYPES.map((name) => [name, 0])) as Record<MessageType, number>;
      byAddress.set(a, byType);
    }
    byType[type] += n;
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

function rankOf({ messages, byType }: AddressStats, { sortBy }: AddressStatsQuery): number {
  return sortBy === "total" ? messages : byType[sortBy.toUpperCase() as MessageType];
}

function encoderOf(query: AddressStatsQuery): (stats: AddressStats) => string {
  const scope = scopeOf(query);
  return (stats) => encodeCursor(scope, { times: [BigInt(rankOf(stats, query))], texts: [stats.address] });
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
