import { sql } from "kysely";
import type { SqlConnection, SqlValue } from "../../sql/connection.ts";
import { INDEXED_BYTES } from "../../sql/dialect.ts";
import { andAll, type Fragment, indexedBy, isOneOf } from "../compile-sql.ts";
import type { Arm, Plan } from "./plan.ts";
import type { Position, Selection, TimedSource } from "./source.ts";

export type Direction = "asc" | "desc";

/** Inclusive bounds of the time, and the place after which rows are wanted. */
export interface Bounds {
  readonly lowestMicros: bigint | null;
  readonly highestMicros: bigint | null;
}

/** What rows need that are to be put in order. */
export interface OrderedRows {
  readonly after: Position | null;
  readonly direction: Direction;
  /** On `m`, checked before the hash is looked up. */
  readonly predicates: readonly Fragment[];
}

/** The rows of one arm: `id`, `k` (time), and `hash` when they are to be ordered. Covered by the index without. */
export function armRows(
  connection: SqlConnection,
  source: TimedSource,
  arm: Arm,
  bounds: Bounds,
  ordered: OrderedRows | null,
): Fragment {
  const isTagged = arm.path.index === null;
  const prefix = isTagged ? "t" : "m";
  const time = sql.ref(`${prefix}.${source.time}`);
  const conditions: Fragment[] = [];
  if (isTagged) conditions.push(sql`t.tag_id = ${arm.values[0]}`);
  else {
    for (const [at, column] of arm.path.columns.entries()) {
      conditions.push(isIndexed(connection, column, [arm.values[at] ?? null]));
    }
    if (source.always !== null) conditions.push(sql.raw(`m.${source.always}`));
  }
  if (bounds.lowestMicros !== null) conditions.push(sql`${time} >= ${bounds.lowestMicros}`);
  if (bounds.highestMicros !== null) conditions.push(sql`${time} <= ${bounds.highestMicros}`);
  const id = isTagged ? sql.ref(`t.${source.tags?.rowId ?? ""}`) : sql.ref("m.id");
  const from = isTagged ? sql`${sql.table(source.tags?.table ?? "")} as t` : indexed(connection, source, arm);
  if (ordered === null) return sql`select ${id} as id, ${time} as k from ${from} where ${andAll(conditions)}`;

  const joins: Fragment[] = [];
  const item = itemOf(source, isTagged);
  if (item.needsRow || (isTagged && ordered.predicates.length > 0)) {
    joins.push(sql`cross join ${sql.table(source.table)} as m`);
    conditions.push(sql`m.id = ${id}`);
  }
  conditions.push(...ordered.predicates);
  if (item.join !== null) {
    joins.push(sql`cross join items as i`);
    conditions.push(sql`i.id = ${item.join}`);
  }
  if (ordered.after !== null) conditions.push(isAfter([time], item.hash, ordered.after, ordered.direction));
  return sql`select ${id} as id, ${time} as k, ${item.hash} as hash from ${from} ${sql.join(joins, sql` `)} where ${andAll(conditions)}`;
}

/** Rows of one arm that meet predicates on `m`, as `id`, without the hash that would order them. */
export function matchingRows(
  connection: SqlConnection,
  source: TimedSource,
  arm: Arm,
  bounds: Bounds,
  predicates: readonly Fragment[],
): Fragment {
  const rows = armRows(connection, source, arm, bounds, null);
  return sql`select x.id as id from (${rows}) as x cross join ${sql.table(source.table)} as m where m.id = x.id and ${andAll(predicates)}`;
}

/** Every row that the arms of a gathering plan hold, by `in` lists; predicates may be added with `and`. */
export function gatheredRows(
  connection: SqlConnection,
  source: TimedSource,
  plan: Plan,
  selection: Selection,
): Fragment {
  const path = plan.arms[0]?.path;
  const time = sql.ref(`m.${source.time}`);
  const conditions: Fragment[] = [];
  for (const column of path?.columns ?? []) {
    const values = selection.conditions.get(column) ?? source.enumerable[column] ?? [];
    conditions.push(column === "tag" ? hasTag(source, values) : isIndexed(connection, column, values));
  }
  if (source.always !== null) conditions.push(sql.raw(`m.${source.always}`));
  if (selection.lowestMicros !== null) conditions.push(sql`${time} >= ${selection.lowestMicros}`);
  if (selection.highestMicros !== null) conditions.push(sql`${time} <= ${selection.highestMicros}`);
  return andAll(conditions);
}

function indexed(connection: SqlConnection, source: TimedSource, arm: Arm): Fragment {
  return sql`${sql.table(source.table)} as m ${indexedBy(connection, arm.path.index ?? "")}`;
}

/** A column of an index is one of these; of a `ref`, which may be long, the index may hold only how it begins. */
function isIndexed({ dialect }: SqlConnection, column: string, values: readonly SqlValue[]): Fragment {
  const whole = isOneOf(sql.ref(`m.${column}`), values);
  if (column !== "ref" || dialect.name === "sqlite") return whole;
  const starts = values.map((value) => sql`substr(${value}::bytea, 1, ${sql.lit(INDEXED_BYTES)})`);
  return sql`substr(m.ref, 1, ${sql.lit(INDEXED_BYTES)}) in (${sql.join(starts)}) and ${whole}`;
}

/** Rows that are tagged with one of these. */
export function hasTag(source: TimedSource, tags: readonly unknown[]): Fragment {
  if (source.tags === null || tags.length === 0) return sql`false`;
  const { table, rowId } = source.tags;
  return sql`m.id in (select ${sql.ref(rowId)} from ${sql.table(table)} where tag_id in (${sql.join(tags)}))`;
}

/** Tests one row, which is looked up by its key. */
export function rowHasTag(source: TimedSource, tags: readonly unknown[]): Fragment {
  if (source.tags === null || tags.length === 0) return sql`false`;
  const { table, rowId } = source.tags;
  const of = sql`${sql.ref(`g.${rowId}`)} = m.id and ${sql.ref(`g.${source.time}`)} = ${sql.ref(`m.${source.time}`)}`;
  return sql`exists (select 1 from ${sql.table(table)} as g where g.tag_id in (${sql.join(tags)}) and ${of})`;
}

/** Strictly after a position in (keys in the direction, hash ascending). */
export function isAfter(
  keys: readonly Fragment[],
  hash: Fragment,
  position: Position,
  direction: Direction,
): Fragment {
  const beyond = direction === "desc" ? sql`<` : sql`>`;
  const row = keys.length === 1 ? (keys[0] ?? sql``) : sql`(${sql.join(keys)})`;
  const at = keys.length === 1 ? sql`${position.keys[0]}` : sql`(${sql.join(position.keys)})`;
  return sql`(${row} ${beyond} ${at} or (${row} = ${at} and ${hash} > ${position.hash}))`;
}

/** Where the hash of a row comes from. */
export function itemOf(
  source: TimedSource,
  isTagged: boolean,
): { readonly hash: Fragment; readonly join: Fragment | null; readonly needsRow: boolean } {
  if (source.itemColumn === null) return { hash: sql.ref("m.hash"), join: null, needsRow: isTagged };
  if (source.itemColumn === "id" && isTagged) {
    return { hash: sql.ref("i.hash"), join: sql.ref(`t.${source.tags?.rowId ?? ""}`), needsRow: false };
  }
  return { hash: sql.ref("i.hash"), join: sql.ref(`m.${source.itemColumn}`), needsRow: isTagged };
}
