import { sql } from "kysely";
import { andAll, compileSql, type Fragment } from "../compile-sql.ts";
import { armRows, gatheredRows, itemOf } from "./arm-sql.ts";
import { type Located, remainingPredicates } from "./locate.ts";

export interface MatchCount {
  readonly total: number;
  /** True when rows were left unexamined: there may be more. */
  readonly approximate: boolean;
}

/** How many rows match, looking at no more than `cap` of those that the plan holds. */
export function countMatches(list: Located, cap: number): MatchCount {
  const { connection, source, selection, plan } = list;
  const predicates = remainingPredicates(list);
  if (plan.gather) {
    const item = itemOf(source, false);
    const conditions = [gatheredRows(connection, source, plan, selection), ...predicates];
    const from = sql`${sql.table(source.table)} as m`;
    const items = item.join === null ? sql`` : sql`cross join items as i`;
    if (item.join !== null) conditions.push(sql`i.id = ${item.join}`);
    return {
      total: countOf(list, sql`select 1 from ${from} ${items} where ${andAll(conditions)}`),
      approximate: false,
    };
  }
  const arms = plan.arms.map((arm) => armRows(connection, source, arm, selection, null));
  const all = sql.join(arms, sql` union all `);
  // A row may have several of the wanted tags. Unlike a union, this stops at the limit.
  const isTagged = plan.arms.length > 1 && plan.arms[0]?.path.index === null;
  const rows = isTagged ? sql`select distinct id, k from (${all}) as tagged` : all;
  const examined = countOf(list, sql`${rows} limit ${cap + 1}`);
  const approximate = examined > cap;
  if (predicates.length === 0) return { total: Math.min(examined, cap), approximate };
  const matching = sql`select 1 from (${rows} limit ${cap}) as x cross join ${sql.table(source.table)} as m where m.id = x.id and ${andAll(predicates)}`;
  return { total: countOf(list, matching), approximate };
}

function countOf({ connection }: Located, rows: Fragment): number {
  const { sql: text, parameters } = compileSql(sql`select count(*) as n from (${rows}) as counted`);
  return connection.get<{ n: number }>(text, ...parameters)?.n ?? 0;
}
