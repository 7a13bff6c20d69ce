import { formatIsoOffset } from "@twentysix/protocol";
import { sql } from "kysely";
import type { SqlConnection } from "../../sql/connection.ts";
import { aggregateContent } from "../aggregate/aggregate-content.ts";
import { isSmall, sizeOfAggregate } from "../aggregate/aggregate-size.ts";
import { longAggregateIdentity } from "../aggregate/aggregate-version.ts";
import { andAll, compileSql, type Fragment, indexedBy, isOneOf } from "../compile-sql.ts";
import type { Counters } from "../counters.ts";
import {
  type CursorPosition,
  type CursorScope,
  decodeCursor,
  encodeCursor,
  filterDigest,
} from "../cursor.ts";
import type { Dictionaries } from "../dictionary.ts";
import { joinTexts, longText } from "../long-text/item-text.ts";
import type { ReadBudget } from "../read-budget.ts";
import { ReadError } from "../read-error.ts";
import type { ItemText } from "../text-types.ts";
import type { AggregatesQuery, CursorPage, ListPage } from "../types.ts";
import {
  type BoundedPageRequest,
  type ChunkRequest,
  cursorPage,
  EMPTY_PAGE,
  firstOfPage,
  type ListReader,
  MAX_COUNTED_ROWS,
  type TotalCount,
  totalOf,
} from "./list-reader.ts";

interface AggregateKey {
  readonly ownerId: number;
  readonly keyId: number;
  readonly micros: bigint;
  /** null: too long to be held of a whole page. */
  readonly key: string | null;
  readonly owner: string;
}

/** Conditions with their values resolved; null members: no condition. */
interface Wanted {
  readonly owners: readonly number[] | null;
  readonly keys: readonly number[] | null;
}

/** Where a page goes on: behind this time, key and owner. */
interface Place {
  readonly micros: bigint;
  readonly key: Fragment;
  readonly owner: string;
}

/** No key that is stored starts with a NUL. */
const NUMBERED = "\u0000";
const MAX_HELD_KEY_BYTES = 500;

/** Keys whose ordered walks are merged by one statement. */
const MAX_WALKS = 60;

/** Aggregates by the time of their first or last element, then key, then owner. */
export class AggregateList implements ListReader<AggregatesQuery> {
  readonly #connection: SqlConnection;
  readonly #names: Dictionaries;
  readonly #counters: Counters;

  constructor(connection: SqlConnection, names: Dictionaries, counters: Counters) {
    this.#connection = connection;
    this.#names = names;
    this.#counters = counters;
  }

  page(query: AggregatesQuery, page: BoundedPageRequest, budget: ReadBudget): ListPage {
    const wanted = this.#resolve(query);
    if (wanted === null) return EMPTY_PAGE;
    budget.checkpoint();
    const located = this.#locate(query, wanted, null, page.pageSize, (page.page - 1) * page.pageSize);
    const first = firstOfPage(located, page, (key) => this.#render(key, budget), encoderOf(query));
    return { ...first, ...totalOf(page, located.length, () => this.#total(query, wanted)) };
  }

  cursor(query: AggregatesQuery, request: ChunkRequest, budget: ReadBudget): CursorPage {
    const scope = scopeOf(query);
    const after = this.#placeOf(decodeCursor(scope, request.cursor));
    const wanted = this.#resolve(query);
    if (wanted === null) return { items: [], nextCursor: null };
    budget.checkpoint();
    const located = this.#locate(query, wanted, after, request.pageSize + 1, 0);
    return cursorPage(located, request, (key) => this.#render(key, budget), encoderOf(query));
  }

  /** A key that is too long for a cursor stands in it by its number. */
  #placeOf(position: CursorPosition | null): Place | null {
    if (position === null) return null;
    const [micros = 0n] = position.times;
    const [key = "", owner = ""] = position.texts;
    if (!key.startsWith(NUMBERED)) return { micros, key: sql`${key}`, owner };
    const keyId = Number(key.slice(NUMBERED.length));
    if (this.#connection.get("SELECT 1 FROM labels WHERE id = ?", keyId) === undefined)
      throw new ReadError("CURSOR_INVALID", "the cursor is malformed: start with an empty one");
    return { micros, key: sql`(select label from labels where id = ${keyId})`, owner };
  }

  #resolve({ owners, keys }: AggregatesQuery): Wanted | null {
    const wanted = {
      owners: owners === undefined ? null : this.#names.addresses.idsOf(owners),
      keys: keys === undefined ? null : this.#names.labels.idsOf(keys),
    };
    return wanted.owners?.length === 0 || wanted.keys?.length === 0 ? null : wanted;
  }

  #locate(
    query: AggregatesQuery,
    wanted: Wanted,
    after: Place | null,
    limit: number,
    skip: number,
  ): AggregateKey[] {
    const walks = driversOf(this.#connection, query, wanted).map((driver) =>
      walkOf(driver, timeOf(query), after, query.direction),
    );
    const order = query.direction === "desc" ? sql`desc` : sql`asc`;
    const located = sql`${sql.join(walks, sql` union all `)} order by k ${order}, label asc, address asc limit ${limit} offset ${skip}`;
    const label = sql`case when octet_length(label) > ${MAX_HELD_KEY_BYTES} then null else label end as label`;
    const { sql: text, parameters } = compileSql(
      sql`select owner_id, key_id, k, ${label}, address from (${located}) as located`,
    );
    return this.#connection
      .allBig<{ owner_id: bigint; key_id: bigint; k: bigint; label: string | null; address: string }>(
        text,
        ...parameters,
      )
      .map((row) => ({
        ownerId: Number(row.owner_id),
        keyId: Number(row.key_id),
        micros: row.k,
        key: row.label,
        owner: row.address,
      }));
  }

  #total(query: AggregatesQuery, wanted: Wanted): TotalCount {
    if (wanted.owners === null && wanted.keys === null) {
      return { total: this.#counters.get("aggregates"), approximate: false };
    }
    const rows = driversOf(this.#connection, query, wanted).map(
      ({ from, conditions }) => sql`select 1 from ${from} where ${andAll(conditions)}`,
    );
    const { sql: text, parameters } = compileSql(
      sql`select count(*) as n from (${sql.join(rows, sql` union all `)} limit ${MAX_COUNTED_ROWS + 1}) as counted`,
    );
    const n = this.#connection.get<{ n: number }>(text, ...parameters)?.n ?? 0;
    return { total: Math.min(n, MAX_COUNTED_ROWS), approximate: n > MAX_COUNTED_ROWS };
  }

  #render(located: AggregateKey, budget: ReadBudget): ItemText | null {
    const { ownerId, keyId } = located;
    const row = this.#connection.getBig<{ created_us: bigint; updated_us: bigint; last_id: bigint }>(
      "SELECT created_us, updated_us, last_id FROM aggregates WHERE owner_id = ? AND key_id = ?",
      ownerId,
      keyId,
    );
    if (row === undefined) return null;
    return joinTexts(
      `{"address":${JSON.stringify(located.owner)},"key":`,
      located.key === null ? this.#names.labels.textOf(keyId) : JSON.stringify(located.key),
      `,"content":`,
      this.#content(located, row.last_id, budget),
      `,"created":"${formatIsoOffset(row.created_us)}","last_updated":"${formatIsoOffset(row.updated_us)}"}`,
    );
  }

  #content(located: AggregateKey, lastId: bigint, budget: ReadBudget): ItemText {
    const { ownerId, keyId } = located;
    if (isSmall(sizeOfAggregate(this.#connection, located))) {
      return aggregateContent(this.#connection, ownerId, keyId);
    }
    const identity = longAggregateIdentity(this.#connection, ownerId, keyId, lastId, budget);
    return longText({ kind: "aggregate", ownerId, keyId, ...identity });
  }
}

interface Driver {
  readonly from: Fragment;
  readonly conditions: readonly Fragment[];
}

/** The index that serves the conditions: an owner has few aggregates, a key is walked in the order of its index. */
function driversOf(connection: SqlConnection, query: AggregatesQuery, { owners, keys }: Wanted): Driver[] {
  const onKey = keys === null ? [] : [isOneOf(sql.ref("a.key_id"), keys)];
  if (owners !== null) {
    return [{ from: sql`aggregates as a`, conditions: [isOneOf(sql.ref("a.owner_id"), owners), ...onKey] }];
  }
  if (keys === null) {
    const index = query.sortBy === "creation_time" ? "aggregates_created" : "aggregates_updated";
    return [{ from: sql`aggregates as a ${indexedBy(connection, index)}`, conditions: [] }];
  }
  const from = sql`aggregates as a ${indexedBy(connection, "aggregates_key")}`;
  if (keys.length > MAX_WALKS) return [{ from, conditions: onKey }];
  return keys.map((key) => ({ from, conditions: [sql`a.key_id = ${key}`] }));
}

function walkOf(
  { from, conditions }: Driver,
  time: Fragment,
  after: Place | null,
  direction: AggregatesQuery["direction"],
): Fragment {
  const all = [...conditions, sql`l.id = a.key_id`, sql`o.id = a.owner_id`];
  if (after !== null) {
    const { micros: at, key, owner } = after;
    const beyond = direction === "desc" ? sql`<` : sql`>`;
    // The bound alone is what the index seeks with.
    all.push(direction === "desc" ? sql`${time} <= ${at}` : sql`${time} >= ${at}`);
    all.push(sql`(${time} ${beyond} ${at} or (l.label, o.address) > (${key}, ${owner}))`);
  }
  return sql`select a.owner_id as owner_id, a.key_id as key_id, ${time} as k, l.label as label, o.address as address from ${from} cross join labels as l cross join addresses as o where ${andAll(all)}`;
}

function timeOf({ sortBy }: AggregatesQuery): Fragment {
  return sql.ref(sortBy === "creation_time" ? "a.created_us" : "a.updated_us");
}

function encoderOf(query: AggregatesQuery): (key: AggregateKey) => string {
  const scope = scopeOf(query);
  return ({ micros, key, keyId, owner }) => {
    const text = key ?? `${NUMBERED}${keyId}`;
    return encodeCursor(scope, { times: [micros], texts: [text, owner] });
  };
}

function scopeOf({ keys, owners, sortBy, direction }: AggregatesQuery): CursorScope {
  return {
    list: "aggregates",
    order: `${sortBy} ${direction}`,
    digest: filterDigest({ keys, owners }),
    times: 1,
    texts: 2,
  };
}
