import type { SqlConnection } from "../../sql/connection.ts";
import { INDEXED_BYTES } from "../../sql/dialect.ts";

export interface IndexDescription {
  readonly name: string;
  readonly columns: readonly string[];
  /** In lower case, as the migrations write it; null: the index holds every row. */
  readonly condition: string | null;
}

/** The indexes of a table that the migrations made. */
export function indexesOf(connection: SqlConnection, table: string): IndexDescription[] {
  return connection.dialect.name === "sqlite" ? ofSqlite(connection, table) : ofPostgres(connection, table);
}

function ofSqlite(connection: SqlConnection, table: string): IndexDescription[] {
  const rows = connection.all<{ name: string; sql: string }>(
    "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
    table,
  );
  return rows.map(({ name, sql }) => {
    const columns = connection.all<{ name: string }>(
      "SELECT name FROM pragma_index_info(?) ORDER BY seqno",
      name,
    );
    const condition = /\bwhere\b(.*)$/is.exec(sql)?.[1] ?? null;
    return {
      name,
      columns: columns.map((column) => column.name),
      condition: condition === null ? null : condition.trim().toLowerCase(),
    };
  });
}

const POSTGRES_COLUMNS = `SELECT c.relname AS name, pg_get_indexdef(x.indexrelid, k.place, true) AS column_name,
  pg_get_expr(x.indpred, x.indrelid) AS condition
  FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
  CROSS JOIN LATERAL generate_series(1, x.indnkeyatts) AS k(place)
  WHERE x.indrelid = to_regclass(?) AND NOT x.indisprimary ORDER BY c.relname, k.place`;
/** An index on how a column begins serves conditions on the column. */
const START = new RegExp(`^substr\\((\\w+), 1, ${INDEXED_BYTES}\\)$`);

function ofPostgres(connection: SqlConnection, table: string): IndexDescription[] {
  const rows = connection.all<{ name: string; column_name: string; condition: string | null }>(
    POSTGRES_COLUMNS,
    table,
  );
  const found = new Map<string, { name: string; columns: string[]; condition: string | null }>();
  for (const { name, column_name: column, condition } of rows) {
    const index = found.get(name) ?? { name, columns: [], condition: written(condition) };
    index.columns.push(START.exec(column)?.[1] ?? column);
    found.set(name, index);
  }
  return [...found.values()];
}

/** The server gives a condition in parentheses and its large numbers with a type. */
function written(condition: string | null): string | null {
  if (condition === null) return null;
  const bare = condition.startsWith("(") && condition.endsWith(")") ? condition.slice(1, -1) : condition;
  return bare.replace(/'(-?[0-9]+)'::bigint/g, "$1").toLowerCase();
}
