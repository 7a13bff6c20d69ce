import { sql } from "kysely";
import { UNCONFIRMED } from "../../codes.ts";
import { andAll, compileSql, type Fragment, indexedBy } from "../compile-sql.ts";
import type { AccessPaths } from "./access-path.ts";
import { type Bounds, isAfter } from "./arm-sql.ts";
import { gatherBy, type Located, remainingPredicates, timeSlices, type Wanted } from "./locate.ts";
import type { Plan } from "./plan.ts";
import { type SliceWalk, type Walked, walkSlices } from "./slices.ts";
import type { Position, RowKey } from "./source.ts";

/** Above this many rows the order is walked on its index rather than sorted. */
const MAX_SORTED_ROWS = 20_000;
const NONE = UNCONFIRMED.toString();

/**
 * Messages by (first confirmation, time, hash); those without confirmation stand last when ascending and first
 * when descending. A selective filter is gathered and sorted; otherwise the unconfirmed and the confirmed are
 * walked one after the other, each on an index of its own.
 */
export function locateByConfirmation(list: Located, paths: AccessPaths, wanted: Wanted): RowKey[] {
  if (list.plan.gather || list.plan.estimatedRows <= MAX_SORTED_ROWS) {
    return gatherBy(list, [sql.ref("m.confirmed_us"), sql.ref("m.time_us")], null, wanted);
  }
  const walks = [
    ...(list.selection.isConfirmed === true ? [] : [walkUnconfirmed]),
    ...(list.selection.isConfirmed === false ? [] : [walkConfirmed]),
  ];
  if (wanted.direction === "asc") walks.reverse();
  const found: RowKey[] = [];
  let skip = wanted.skip;
  for (const walk of walks) {
    const rest = walk(list, paths, { ...wanted, skip, limit: wanted.limit - found.length });
    found.push(...rest.found);
    skip = rest.skip;
    if (found.length >= wanted.limit) break;
  }
  return found;
}

function walkUnconfirmed(list: Located, paths: AccessPaths, wanted: Wanted): Walked {
  const isPast = wanted.after !== null && wanted.after.keys[0] !== UNCONFIRMED;
  if (isPast && wanted.direction === "desc") return { found: [], skip: wanted.skip };
  const condition = `confirmed_us = ${NONE}`;
  const index = paths.partial.get(condition);
  const plan: Plan =
    index === undefined
      ? list.plan
      : {
          ...list.plan,
          arms: [{ path: { index, columns: [] }, values: [] }],
          remaining: [...list.selection.conditions.keys()],
        };
  const source = index === undefined ? list.source : { ...list.source, always: condition };
  const inner: Located = { ...list, plan, source };
  const predicates = [...remainingPredicates(inner), sql.raw(`m.${condition}`)];
  const after: Position | null =
    wanted.after === null || isPast ? null : { keys: wanted.after.keys.slice(1), hash: wanted.after.hash };
  const here = { ...wanted, after };
  const { found, skip } = walkSlices(timeSlices(inner, here, predicates), inner, here);
  return { found: found.map((row) => ({ ...row, keys: [UNCONFIRMED, ...row.keys] })), skip };
}

function walkConfirmed(list: Located, paths: AccessPaths, wanted: Wanted): Walked {
  const isPast = wanted.after !== null && wanted.after.keys[0] === UNCONFIRMED;
  if (isPast && wanted.direction === "asc") return { found: [], skip: wanted.skip };
  const index = paths.partial.get(`confirmed_us <> ${NONE}`);
  if (index === undefined)
    throw new RangeError("the index of confirmed messages is missing: run the migrations");
  const { conditions, lowestMicros, highestMicros } = list.selection;
  const inner: Located = { ...list, plan: { ...list.plan, remaining: [...conditions.keys()] } };
  const predicates: Fragment[] = remainingPredicates(inner);
  if (lowestMicros !== null) predicates.push(sql`m.time_us >= ${lowestMicros}`);
  if (highestMicros !== null) predicates.push(sql`m.time_us <= ${highestMicros}`);
  const here = { ...wanted, after: isPast ? null : wanted.after };
  return walkSlices(confirmedSlices(inner, index, here, predicates), inner, here);
}

/** Slices of confirmed messages; their bounds are on the time of the first confirmation. */
function confirmedSlices(
  list: Located,
  index: string,
  wanted: Wanted,
  predicates: readonly Fragment[],
): SliceWalk {
  const order = wanted.direction === "desc" ? sql`desc` : sql`asc`;
  const keys = [sql.ref("m.confirmed_us"), sql.ref("m.time_us")];
  const from = sql`messages as m ${indexedBy(list.connection, index)}`;
  const start = wanted.after?.keys[0] ?? null;
  const within = ({ lowestMicros, highestMicros }: Bounds): Fragment[] => [
    sql.raw(`m.confirmed_us <> ${NONE}`),
    ...(lowestMicros === null ? [] : [sql`m.confirmed_us >= ${lowestMicros}`]),
    ...(highestMicros === null ? [] : [sql`m.confirmed_us <= ${highestMicros}`]),
  ];
  return {
    bounds:
      wanted.direction === "desc"
        ? { lowestMicros: null, highestMicros: start }
        : { lowestMicros: start, highestMicros: null },
    keyAt: (bounds, offset) => {
      const { sql: text, parameters } = compileSql(
        sql`select m.confirmed_us as k from ${from} where ${andAll(within(bounds))} order by k ${order} limit 1 offset ${offset}`,
      );
      return list.connection.getBig<{ k: bigint }>(text, ...parameters)?.k;
    },
    matches: (bounds) => {
      const conditions = [...within(bounds), ...predicates];
      return sql`select m.id as id from ${from} where ${andAll(conditions)}`;
    },
    rows: (bounds, after) => {
      const position = after === null ? [] : [isAfter(keys, sql.ref("i.hash"), after, wanted.direction)];
      const conditions = [...within(bounds), ...predicates, sql`i.id = m.id`, ...position];
      return sql`select m.id as id, m.confirmed_us as k, m.time_us as k1, i.hash as hash from ${from} cross join items as i where ${andAll(conditions)} order by k ${order}, k1 ${order}, hash asc`;
    },
  };
}
