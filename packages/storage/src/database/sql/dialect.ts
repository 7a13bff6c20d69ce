/** Where the two engines have no words in common. */
export interface Dialect {
  readonly name: DialectName;
  /** Holds the planner to an index by which a walk is bounded; the empty text where planners take no orders. */
  indexedBy(index: string): string;
  /** Holds the planner to the primary key likewise. */
  readonly byPrimaryKey: string;
  /** Begins a transaction that reads one state of the database, whatever is written meanwhile. */
  readonly beginSnapshot: string;
  /** Whether a text holds another one, without wildcards. */
  contains(expression: string, part: string): string;
  /** The bytes of a text in UTF-8. */
  utf8(expression: string): string;
  /** A text as a JSON string. */
  quotedJson(expression: string): string;
  /** The integers of a JSON array, as rows with a `value`. */
  jsonIntegers(expression: string): string;
  /** How a text begins, as far as it is indexed: equal texts begin equally, and in the same order. */
  textStart(expression: string): string;
  /** The type of bytes in a definition. */
  readonly bytesType: string;
  /** Empties a table that belongs to this connection alone. */
  emptyOwnTable(table: string): string;
}

/** As much of long bytes as PostgreSQL indexes: a key of a B-tree has a limit there. */
export const INDEXED_BYTES = 1_000;

export type DialectName = "sqlite" | "postgres";

export const SQLITE: Dialect = {
  name: "sqlite",
  indexedBy: (index) => `INDEXED BY ${index}`,
  byPrimaryKey: "NOT INDEXED",
  beginSnapshot: "BEGIN",
  contains: (expression, part) => `instr(${expression}, ${part}) > 0`,
  utf8: (expression) => `CAST(${expression} AS BLOB)`,
  quotedJson: (expression) => `json_quote(${expression})`,
  jsonIntegers: (expression) => `json_each(${expression})`,
  textStart: (expression) => expression,
  bytesType: "BLOB",
  emptyOwnTable: (table) => `DELETE FROM ${table}`,
};

export const POSTGRES: Dialect = {
  name: "postgres",
  indexedBy: () => "",
  byPrimaryKey: "",
  beginSnapshot: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
  contains: (expression, part) => `strpos(${expression}, ${part}) > 0`,
  utf8: (expression) => `convert_to(${expression}, 'UTF8')`,
  quotedJson: (expression) => `to_json(${expression})::text`,
  jsonIntegers: (expression) =>
    `(SELECT value::bigint AS value FROM json_array_elements_text(${expression}::json))`,
  textStart: (expression) => `left(${expression}, 500)`,
  bytesType: "BYTEA",
  emptyOwnTable: (table) => `TRUNCATE ${table}`,
};
