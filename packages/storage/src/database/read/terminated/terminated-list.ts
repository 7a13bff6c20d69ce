import { decodeItemHash, encodeItemHash } from "@twentysix/protocol";
import { sql } from "kysely";
import { MESSAGE_TYPE_CODE, STATUS_CODE } from "../../codes.ts";
import type { SqlConnection } from "../../sql/connection.ts";
import { andAll, compileSql, type Fragment, indexedBy, isOneOf } from "../compile-sql.ts";
import type { Counters } from "../counters.ts";
import { type CursorScope, decodeCursor, encodeCursor, filterDigest } from "../cursor.ts";
import type { Dictionaries } from "../dictionary.ts";
import { idsOfHashes } from "../item-ids.ts";
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
} from "../lists/list-reader.ts";
import type { ReadBudget } from "../read-budget.ts";
import { lowestMicros, timeBefore } from "../time-bounds.ts";
import type { CursorPage, ListPage, TerminatedQuery } from "../types.ts";
import { SkeletonRows } from "./skeleton-rows.ts";

interface TerminatedKey {
  readonly id: number;
  /** Time of termination, null when it was not recorded: such rows come last in both directions. */
  readonly micros: bigint | null;
  readonly hash: Uint8Array;
}

interface Reading {
  readonly connection: SqlConnection;
  readonly query: TerminatedQuery;
  readonly predicates: readonly Fragment[];
}

/** Forgotten or removed messages by the time that ended them. */
export class TerminatedList implements ListReader<TerminatedQuery> {
  readonly #connection: SqlConnection;
  readonly #names: Dictionaries;
  readonly #counters: Counters;
  readonly #rows: SkeletonRows;

  constructor(connection: SqlConnection, names: Dictionaries, counters: Counters) {
    this.#connection = connection;
    this.#names = names;
    this.#counters = counters;
    this.#rows = new SkeletonRows(connection, names);
  }

  page(query: TerminatedQuery, page: BoundedPageRequest, budget: ReadBudget): ListPage {
    const predicates = this.#predicates(query);
    if (predicates === null) return EMPTY_PAGE;
    const reading = { connection: this.#connection, query, predicates };
    const keys = this.#locate(reading, null, (page.page - 1) * page.pageSize, page.pageSize, budget);
    const first = firstOfPage(keys, page, (key) => this.#render(query, key), encoderOf(query));
    return { ...first, ...totalOf(page, keys.length, () => this.#total(reading)) };
  }

  /** For streams: the API has no cursor on these lists. */
  cursor(query: TerminatedQuery, request: ChunkRequest, budget: ReadBudget): CursorPage {
    const scope = scopeOf(query);
    const position = decodeCursor(scope, request.cursor);
    const predicates = this.#predicates(query);
    if (predicates === null) return { items: [], nextCursor: null };
    const after = position === null ? null : keyOf(position.times[0] ?? 0n, position.texts[0] ?? "");
    const reading = { connection: this.#connection, query, predicates };
    const keys = this.#locate(reading, after, 0, request.pageSize + 1, budget);
    return cursorPage(keys, request, (key) => this.#render(query, key), encoderOf(query));
  }

  #render({ status }: TerminatedQuery, { id }: TerminatedKey): string | null {
    const skeleton = this.#rows.byId(status, id);
    return skeleton?.json({ status: true, forgottenBy: status === "forgotten" }) ?? null;
  }

  /** Rows with a time first, then those without. */
  #locate(
    reading: Reading,
    after: TerminatedKey | null,
    skip: number,
    limit: number,
    budget: ReadBudget,
  ): TerminatedKey[] {
    const { direction, filter } = reading.query;
    budget.checkpoint();
    const order = direction === "desc" ? sql`desc` : sql`asc`;
    const isPastTimes = after !== null && after.micros === null;
    const timed = sql.join(timedRows(reading, after), sql` union all `);
    const found = isPastTimes
      ? []
      : this.#fetch(sql`${timed} order by k ${order}, hash asc limit ${limit} offset ${skip}`);
    const hasWindow = filter.startMicros !== undefined || filter.endMicros !== undefined;
    if (found.length === limit || hasWindow) return found;
    budget.checkpoint();
    const passed = isPastTimes || found.length > 0 || skip === 0 ? 0 : this.#count(timed);
    const rest = sql`${untimedRows(reading, isPastTimes ? after : null)} order by hash asc limit ${limit - found.length} offset ${found.length > 0 ? 0 : skip - passed}`;
    return [...found, ...this.#fetch(rest)];
  }

  #fetch(rows: Fragment): TerminatedKey[] {
    const { sql: text, parameters } = compileSql(rows);
    return this.#connection
      .allBig<{ id: bigint; k: bigint | null; hash: Uint8Array }>(text, ...parameters)
      .map(({ id, k, hash }) => ({ id: Number(id), micros: k, hash }));
  }

  #count(rows: Fragment): number {
    const { sql: text, parameters } = compileSql(sql`select count(*) as n from (${rows}) as counted`);
    return this.#connection.get<{ n: number }>(text, ...parameters)?.n ?? 0;
  }

  #total(reading: Reading): TotalCount {
    const { status, filter } = reading.query;
    const { types, ...others } = filter;
    if (Object.values(others).every((value) => value === undefined)) {
      const codes = types?.map((type) => MESSAGE_TYPE_CODE[type]) ?? null;
      return { total: this.#counters.sum("status", [STATUS_CODE[status]], codes), approximate: false };
    }
    const rows = [...timedRows(reading, null), untimedRows(reading, null)];
    const bounded =
      filter.startMicros === undefined && filter.endMicros === undefined ? rows : rows.slice(0, -1);
    const total = this.#count(sql`${sql.join(bounded, sql` union all `)} limit ${MAX_COUNTED_ROWS + 1}`);
    return { total: Math.min(total, MAX_COUNTED_ROWS), approximate: total > MAX_COUNTED_ROWS };
  }

  /** null: nothing can match. */
  #predicates({ filter }: TerminatedQuery): Fragment[] | null {
    const { addresses, channels, labels } = this.#names;
    const wanted: [column: string, values: readonly number[] | undefined][] = [
      ["type", filter.types?.map((type) => MESSAGE_TYPE_CODE[type])],
      ["sender_id", filter.senders && addresses.idsOf(filter.senders)],
      ["owner_id", filter.owners && addresses.idsOf(filter.owners)],
      ["chain_id", filter.chains && labels.idsOf(filter.chains)],
      ["channel_id", filter.channels && channels.idsOf(filter.channels)],
      ["id", filter.itemHashes && idsOfHashes(this.#connection, filter.itemHashes)],
    ];
    const predicates: Fragment[] = [];
    for (const [column, values] of wanted) {
      if (values?.length === 0) return null;
      if (values !== undefined) predicates.push(isOneOf(sql.ref(`m.${column}`), values));
    }
    if (filter.paymentTypes !== undefined) {
      const payments = labels.idsOf(filter.paymentTypes);
      const isHold = filter.paymentTypes.includes("hold");
      predicates.push(
        sql`(${isOneOf(sql.ref("m.payment_id"), payments)} ${isHold ? sql`or m.payment_id is null` : sql``})`,
      );
    }
    return predicates;
  }
}

/** Stands for "no time" in a cursor. */
const NO_TIME = -(2n ** 63n);

function encoderOf(query: TerminatedQuery): (key: TerminatedKey) => string {
  const scope = scopeOf(query);
  return ({ micros, hash }) =>
    encodeCursor(scope, { times: [micros ?? NO_TIME], texts: [decodeItemHash(hash)] });
}

function keyOf(micros: bigint, itemHash: string): TerminatedKey {
  return { id: 0, micros: micros === NO_TIME ? null : micros, hash: encodeItemHash(itemHash) };
}

/**
 * Rows whose end has a time, in walks that are each ordered by it. A message taken along by another has no time
 * of its own: it ended with its parent.
 */
function timedRows({ connection, query, predicates }: Reading, after: TerminatedKey | null): Fragment[] {
  const rest = (time: Fragment): Fragment =>
    andAll([...predicates, sql`i.id = m.id`, ...window(query, time, after)]);
  if (query.status === "removed") {
    const time = sql.ref("m.removed_us");
    return [
      sql`select m.id as id, ${time} as k, i.hash as hash from removed as m cross join items as i where ${time} is not null and ${rest(time)}`,
    ];
  }
  const own = sql.ref("m.forgotten_us");
  const ofParent = sql.ref("p.forgotten_us");
  return [
    sql`select m.id as id, ${own} as k, i.hash as hash from forgotten as m ${indexedBy(connection, "forgotten_time")} cross join items as i where ${own} is not null and ${rest(own)}`,
    sql`select m.id as id, ${ofParent} as k, i.hash as hash from forgotten as p ${indexedBy(connection, "forgotten_time")} cross join items as pi cross join forgotten as m ${indexedBy(connection, "forgotten_parent")} cross join items as i where ${ofParent} is not null and pi.id = p.id and m.parent = pi.hash and ${own} is null and ${rest(ofParent)}`,
  ];
}

function untimedRows({ connection, query, predicates }: Reading, after: TerminatedKey | null): Fragment {
  const conditions = [...predicates, sql`i.id = m.id`];
  if (after !== null) conditions.push(sql`i.hash > ${after.hash}`);
  if (query.status === "removed") {
    return sql`select m.id as id, null as k, i.hash as hash from removed as m cross join items as i where m.removed_us is null and ${andAll(conditions)}`;
  }
  conditions.push(
    sql`not exists (select 1 from items as pi cross join forgotten as p where pi.hash = m.parent and p.id = pi.id and p.forgotten_us is not null)`,
  );
  return sql`select m.id as id, null as k, i.hash as hash from forgotten as m ${indexedBy(connection, "forgotten_time")} cross join items as i where m.forgotten_us is null and ${andAll(conditions)}`;
}

function window(
  { filter, direction }: TerminatedQuery,
  time: Fragment,
  after: TerminatedKey | null,
): Fragment[] {
  const conditions: Fragment[] = [];
  const lowest = lowestMicros(filter.startMicros);
  const highest = timeBefore(filter.endMicros);
  if (lowest !== null) conditions.push(sql`${time} >= ${lowest}`);
  if (highest !== null) conditions.push(sql`${time} <= ${highest}`);
  if (after?.micros !== null && after !== null) {
    const beyond = direction === "desc" ? sql`<` : sql`>`;
    conditions.push(direction === "desc" ? sql`${time} <= ${after.micros}` : sql`${time} >= ${after.micros}`);
    conditions.push(sql`(${time} ${beyond} ${after.micros} or i.hash > ${after.hash})`);
  }
  return conditions;
}

function scopeOf({ status, filter, direction }: TerminatedQuery): CursorScope {
  return { list: status, order: direction, digest: filterDigest(filter), times: 1, texts: 1 };
}
