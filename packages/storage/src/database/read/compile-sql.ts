import {
  DummyDriver,
  Kysely,
  type RawBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from "kysely";
import type { Schema } from "../schema.ts";
import type { SqlConnection, SqlValue } from "../sql/connection.ts";

/**
 * The query builder, used to compile only: it never runs anything. What it writes (names in double quotes, `?` for
 * parameters) each connection understands.
 */
export const builder = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

/** A part of a statement. */
export type Fragment = RawBuilder<unknown>;

export interface CompiledSql {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** Text and parameters of a built query or fragment. */
export function compileSql(query: {
  compile(db: Kysely<Schema>): { readonly sql: string; readonly parameters: readonly unknown[] };
}): CompiledSql {
  const { sql: text, parameters } = query.compile(builder);
  return { sql: text, parameters: parameters as readonly SqlValue[] };
}

/** Holds the planner to an index, where the engine takes such orders. */
export function indexedBy({ dialect }: Pick<SqlConnection, "dialect">, index: string): Fragment {
  return sql.raw(dialect.indexedBy(index));
}

export function andAll(fragments: readonly Fragment[]): Fragment {
  return fragments.length === 0 ? sql`true` : sql.join(fragments, sql` and `);
}

/** `column in (...)`; one value becomes an equality, which planners like better. */
export function isOneOf(column: Fragment, values: readonly SqlValue[]): Fragment {
  if (values.length === 0) return sql`false`;
  if (values.length === 1) return sql`${column} = ${values[0]}`;
  return sql`${column} in (${sql.join(values)})`;
}
