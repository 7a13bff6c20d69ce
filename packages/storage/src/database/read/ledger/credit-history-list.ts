import { decodeItemHash, encodeItemHash } from "@twentysix/protocol";
import type { SqlConnection, SqlValue } from "../../sql/connection.ts";
import type { Counters } from "../counters.ts";
import { type CursorScope, decodeCursor, encodeCursor, filterDigest } from "../cursor.ts";
import type { Dictionaries } from "../dictionary.ts";
import {
  type BoundedPageRequest,
  type ChunkRequest,
  cursorPage,
  EMPTY_PAGE,
  firstOfPage,
  type ListReader,
  totalOf,
} from "../lists/list-reader.ts";
import type { ReadBudget } from "../read-budget.ts";
import type { CursorPage, ListPage } from "../types.ts";
import { ENTRY_COLUMNS, type EntryRow, entryJson } from "./credit-entry-json.ts";
import { afterInSort, type HistoryWalk, historyWalk, joined, SORT_COLUMNS } from "./credit-history-sql.ts";
import { countEntries, walkEntries } from "./credit-history-walk.ts";
import type { CreditHistoryQuery, CreditPosition } from "./ledger-views.ts";

/** What came to an address and what went from it. */
export class CreditHistoryList implements ListReader<CreditHistoryQuery> {
  readonly #connection: SqlConnection;
  readonly #names: Dictionaries;
  readonly #counters: Counters;

  constructor(connection: SqlConnection, names: Dictionaries, counters: Counters) {
    this.#connection = connection;
    this.#names = names;
    this.#counters = counters;
  }

  page(query: CreditHistoryQuery, request: BoundedPageRequest, budget: ReadBudget): ListPage {
    const accountId = this.#names.addresses.idOf(query.address);
    if (accountId === null) return EMPTY_PAGE;
    const { page, pageSize } = request;
    const walk = historyWalk(this.#connection, accountId, query.filter);
    const wanted = { after: null, skip: (page - 1) * pageSize, limit: pageSize };
    const rows = this.#rows(query, walk, wanted, budget);
    const isWhole = Object.keys(query.filter).length === 0;
    const count = () =>
      isWhole
        ? { total: this.#counters.get("creditEntries", accountId), approximate: false }
        : countEntries(this.#connection, walk, budget);
    return {
      ...firstOfPage(rows, request, entryJson, encoderOf(query)),
      ...totalOf(request, rows.length, count),
    };
  }

  cursor(query: CreditHistoryQuery, request: ChunkRequest, budget: ReadBudget): CursorPage {
    const after = placeOf(query, request.cursor);
    const accountId = this.#names.addresses.idOf(query.address);
    if (accountId === null) return { items: [], nextCursor: null };
    const walk = historyWalk(this.#connection, accountId, query.filter);
    const rows = this.#rows(query, walk, { after, skip: 0, limit: request.pageSize + 1 }, budget);
    return cursorPage(rows, request, entryJson, encoderOf(query));
  }

  #rows(query: CreditHistoryQuery, walk: HistoryWalk, wanted: Wanted, budget: ReadBudget): EntryRow[] {
    return query.sortBy === "message_timestamp"
      ? walkEntries(this.#connection, walk, { ...wanted, direction: query.direction }, budget)
      : this.#sorted(query, walk, wanted);
  }

  /** No index has these orders: the history of the account is read, and its first rows kept. */
  #sorted(
    { sortBy, direction }: CreditHistoryQuery,
    walk: HistoryWalk,
    { after, skip, limit }: Wanted,
  ): EntryRow[] {
    const column = `e.${SORT_COLUMNS[sortBy]}`;
    const order = direction === "asc" ? "ASC" : "DESC";
    const place = after === null ? [] : [afterInSort(sortBy, direction, after.value, after)];
    const where = joined([...walk.base, ...walk.predicates, ...place]);
    return this.#connection.allBig<EntryRow>(
      `SELECT ${ENTRY_COLUMNS} FROM credit_entries AS e ${walk.index} WHERE ${where.sql}
       ORDER BY ${column} ${order} NULLS LAST, e.hash ${order}, e.idx ${order} LIMIT ? OFFSET ?`,
      ...where.parameters,
      limit,
      skip,
    );
  }
}

type Place = CreditPosition & { readonly value: SqlValue };

interface Wanted {
  readonly after: Place | null;
  readonly skip: number;
  readonly limit: number;
}

/** A value as a text that says what it is. */
function valueText(value: SqlValue): string {
  if (value === null) return "n";
  return typeof value === "bigint" || typeof value === "number" ? `i${value}` : `t${String(value)}`;
}

/** The inverse; a text that nobody made stands for no value. */
function valueInText(text: string): SqlValue {
  if (text.startsWith("t")) return text.slice(1);
  const integer = /^i-?[0-9]{1,19}$/.test(text) ? BigInt(text.slice(1)) : null;
  return integer !== null && BigInt.asIntN(64, integer) === integer ? integer : null;
}

/** @throws ReadError CURSOR_INVALID */
function placeOf(query: CreditHistoryQuery, cursor: string | null): Place | null {
  const position = decodeCursor(scopeOf(query), cursor);
  if (position === null) return null;
  const [timeMicros = 0n, index = 0n] = position.times;
  const [hash = "", value = ""] = position.texts;
  return { timeMicros, hash: encodeItemHash(hash), index: Number(index), value: valueInText(value) };
}

function encoderOf(query: CreditHistoryQuery): (row: EntryRow) => string {
  const scope = scopeOf(query);
  const column = SORT_COLUMNS[query.sortBy] as keyof EntryRow;
  return (row) =>
    encodeCursor(scope, {
      times: [row.time_us, row.idx],
      texts: [decodeItemHash(row.hash), valueText(row[column])],
    });
}

function scopeOf({ address, filter, sortBy, direction }: CreditHistoryQuery): CursorScope {
  const digest = filterDigest({ address, ...filter });
  return { list: "creditHistory", order: `${sortBy} ${direction}`, digest, times: 2, texts: 2 };
}
