import { sql } from "kysely";
import type { SqlConnection } from "../../sql/connection.ts";
import { andAll, compileSql, type Fragment, indexedBy, isOneOf } from "../compile-sql.ts";
import type { ReadBudget } from "../read-budget.ts";
import {
  armRows,
  type Bounds,
  type Direction,
  gatheredRows,
  isAfter,
  itemOf,
  matchingRows,
  type OrderedRows,
  rowHasTag,
} from "./arm-sql.ts";
import { countRows } from "./count-rows.ts";
import { fetchKeys } from "./fetch-keys.ts";
import type { Arm, Plan } from "./plan.ts";
import { type SliceWalk, walkSlices } from "./slices.ts";
import type { Position, RowKey, Selection, TimedSource } from "./source.ts";

export interface Wanted {
  readonly direction: Direction;
  readonly after: Position | null;
  readonly skip: number;
  readonly limit: number;
}

/** Everything that one list is located with. */
export interface Located {
  readonly connection: SqlConnection;
  readonly source: TimedSource;
  readonly selection: Selection;
  readonly plan: Plan;
  readonly budget: ReadBudget;
}

/** Offsets above this are first walked on the index alone. */
const DEEP_ROWS = 500;
const DEEP_STEP_ROWS = 100_000;

/** The keys of the wanted rows in the order of (time, hash). Contents are fetched afterwards, by id. */
export function locate(list: Located, wanted: Wanted): RowKey[] {
  if (list.plan.gather) return gather(list, wanted);
  const predicates = remainingPredicates(list);
  if (predicates.length === 0) return walk(list, wanted);
  return walkSlices(timeSlices(list, wanted, predicates), list, wanted).found;
}

/** The conditions that the arms leave open, as predicates on `m`. */
export function remainingPredicates({ source, selection, plan }: Located): Fragment[] {
  const open = plan.remaining.map((column) => {
    const values = selection.conditions.get(column) ?? [];
    return column === "tag" ? rowHasTag(source, values) : isOneOf(sql.ref(`m.${column}`), values);
  });
  return [...open, ...selection.extra];
}

function walk(list: Located, wanted: Wanted): RowKey[] {
  const { skip, bounds } = skipOnIndex(list, wanted);
  const rows = orderedRows(
    list,
    { after: wanted.after, direction: wanted.direction, predicates: [] },
    bounds,
  );
  return fetchKeys(list.connection, sql`${rows} limit ${wanted.limit} offset ${skip}`);
}

/**
 * Moves a deep offset forward on the index alone, without the hash that orders rows of one moment: finds the
 * time at the offset, and how many rows stand before that time.
 */
function skipOnIndex(list: Located, wanted: Wanted): { readonly skip: number; readonly bounds: Bounds } {
  let bounds = boundsAfter(list, wanted);
  let skip = wanted.skip;
  // With a position the first moment is cut by hash, which the index does not know; and rows with several of the
  // wanted tags would be counted more than once.
  const isCountable = wanted.after === null && (list.plan.arms.length === 1 || !isTagged(list.plan.arms));
  while (skip > DEEP_ROWS && isCountable) {
    list.budget.checkpoint();
    const moment = momentAt(list, bounds, wanted.direction, Math.min(skip, DEEP_STEP_ROWS));
    if (moment === undefined || moment.before === 0) break;
    bounds =
      wanted.direction === "desc"
        ? { ...bounds, highestMicros: moment.time }
        : { ...bounds, lowestMicros: moment.time };
    skip -= moment.before;
  }
  return { skip, bounds };
}

/** The time of the row at an offset, and how many rows stand before the first of that time. */
function momentAt(
  list: Located,
  bounds: Bounds,
  direction: Direction,
  offset: number,
): { readonly time: bigint; readonly before: number } | undefined {
  const [arm] = list.plan.arms;
  if (arm !== undefined && list.plan.arms.length === 1 && list.source.itemColumn !== null) {
    return momentOfArm(list, arm, bounds, direction, offset);
  }
  const time = timeAt(list, bounds, direction, offset);
  if (time === undefined) return undefined;
  const before =
    direction === "desc" ? { ...bounds, lowestMicros: time + 1n } : { ...bounds, highestMicros: time - 1n };
  return { time, before: countRows(list.connection, list.source, list.plan.arms, before, offset) };
}

/** The same of one walk, whose rows of one time stand in the order of their ids: only that time is counted. */
function momentOfArm(
  { connection, source }: Located,
  arm: Arm,
  bounds: Bounds,
  direction: Direction,
  offset: number,
): { readonly time: bigint; readonly before: number } | undefined {
  const order = direction === "desc" ? sql`desc` : sql`asc`;
  const at = compileSql(
    sql`${armRows(connection, source, arm, bounds, null)} order by k ${order}, id ${order} limit 1 offset ${offset}`,
  );
  const row = connection.getBig<{ id: bigint; k: bigint }>(at.sql, ...at.parameters);
  if (row === undefined) return undefined;
  const sameTime = { lowestMicros: row.k, highestMicros: row.k };
  const earlier = direction === "desc" ? sql`>` : sql`<`;
  const counted = compileSql(
    sql`select count(*) as n from (${armRows(connection, source, arm, sameTime, null)}) as x where id ${earlier} ${row.id}`,
  );
  const { n = 0 } = connection.get<{ n: number }>(counted.sql, ...counted.parameters) ?? {};
  return { time: row.k, before: offset - n };
}

function timeAt(list: Located, bounds: Bounds, direction: Direction, offset: number): bigint | undefined {
  const arms = unionOfArms(list.plan.arms, (arm) => armRows(list.connection, list.source, arm, bounds, null));
  const order = direction === "desc" ? sql`desc` : sql`asc`;
  const { sql: text, parameters } = compileSql(sql`${arms} order by k ${order} limit 1 offset ${offset}`);
  return list.connection.getBig<{ k: bigint }>(text, ...parameters)?.k;
}

/** The list in slices of time, its predicates checked inside each. */
export function timeSlices(list: Located, wanted: Wanted, predicates: readonly Fragment[]): SliceWalk {
  const { direction } = wanted;
  return {
    bounds: boundsAfter(list, wanted),
    keyAt: (bounds, offset) => timeAt(list, bounds, direction, offset),
    rows: (bounds, after) => orderedRows(list, { after, direction, predicates }, bounds),
    matches: (bounds) =>
      unionOfArms(list.plan.arms, (arm) =>
        matchingRows(list.connection, list.source, arm, bounds, predicates),
      ),
  };
}

/** All rows of the arms as `id, k, hash`, merged in order; lazily, when a limit follows. */
function orderedRows({ connection, source, plan }: Located, ordered: OrderedRows, bounds: Bounds): Fragment {
  const order = ordered.direction === "desc" ? sql`desc` : sql`asc`;
  const arms = unionOfArms(plan.arms, (arm) => armRows(connection, source, arm, bounds, ordered));
  return sql`${arms} order by k ${order}, hash asc`;
}

/** A row may have several of the wanted tags; every other arm holds rows of its own. */
function unionOfArms(arms: readonly Arm[], render: (arm: Arm) => Fragment): Fragment {
  return sql.join(
    arms.map((arm) => render(arm)),
    isTagged(arms) ? sql` union ` : sql` union all `,
  );
}

const isTagged = (arms: readonly Arm[]): boolean => arms[0]?.path.index === null;

/** The bounds of the selection, tightened by the position so that the index starts there. */
function boundsAfter(
  { selection }: Located,
  { after, direction }: Pick<Wanted, "after" | "direction">,
): Bounds {
  const key = after?.keys[0];
  const { lowestMicros, highestMicros } = selection;
  if (key === undefined) return { lowestMicros, highestMicros };
  if (direction === "desc") {
    return {
      lowestMicros,
      highestMicros: highestMicros === null || key < highestMicros ? key : highestMicros,
    };
  }
  return { lowestMicros: lowestMicros === null || key > lowestMicros ? key : lowestMicros, highestMicros };
}

function gather(list: Located, wanted: Wanted): RowKey[] {
  return gatherBy(list, [sql.ref(`m.${list.source.time}`)], null, wanted);
}

/** Reads all rows that a plan holds and sorts them; for few rows, or for an order that no index has. */
export function gatherBy(
  list: Located,
  keys: readonly Fragment[],
  join: Fragment | null,
  wanted: Wanted,
): RowKey[] {
  const { source, selection, plan } = list;
  const item = itemOf(source, false);
  const conditions = [gatheredRows(list.connection, source, plan, selection), ...remainingPredicates(list)];
  if (item.join !== null) conditions.push(sql`i.id = ${item.join}`);
  if (wanted.after !== null) conditions.push(isAfter(keys, item.hash, wanted.after, wanted.direction));
  const order = wanted.direction === "desc" ? sql`desc` : sql`asc`;
  const columns = keys.map((key, at) => sql`${key} as ${sql.ref(columnOf(at))}`);
  const terms = keys.map((_, at) => sql`${sql.ref(columnOf(at))} ${order}`);
  const index = plan.arms[0]?.path.index;
  const from = index === null || index === undefined ? sql`` : indexedBy(list.connection, index);
  const items = item.join === null ? sql`` : sql`cross join items as i`;
  return fetchKeys(
    list.connection,
    sql`select m.id as id, ${sql.join(columns)}, ${item.hash} as hash from ${sql.table(source.table)} as m ${from} ${join ?? sql``} ${items} where ${andAll(conditions)} order by ${sql.join(terms)}, hash asc limit ${wanted.limit} offset ${wanted.skip}`,
  );
}

const columnOf = (at: number): string => (at === 0 ? "k" : `k${at}`);
