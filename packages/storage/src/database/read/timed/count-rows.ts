import { sql } from "kysely";
import type { SqlConnection } from "../../sql/connection.ts";
import { compileSql, type Fragment } from "../compile-sql.ts";
import { armRows, type Bounds } from "./arm-sql.ts";
import type { Arm } from "./plan.ts";
import type { TimedSource } from "./source.ts";

/** Rows of all arms within the bounds, counted on the index alone, at most `cap`. */
export function countRows(
  connection: SqlConnection,
  source: TimedSource,
  arms: readonly Arm[],
  bounds: Bounds,
  cap: number,
): number {
  let total = 0;
  for (const arm of arms) {
    total += countOf(connection, armRows(connection, source, arm, bounds, null), cap - total);
    if (total >= cap) return cap;
  }
  return total;
}

function countOf(connection: SqlConnection, rows: Fragment, cap: number): number {
  const { sql: text, parameters } = compileSql(
    sql`select count(*) as n from (${rows} limit ${cap}) as counted`,
  );
  return connection.get<{ n: number }>(text, ...parameters)?.n ?? 0;
}
