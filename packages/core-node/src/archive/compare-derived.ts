import { decodeItemHash } from "@twentysix/protocol";
import type { SqlConnection } from "@twentysix/storage";
import { DERIVED_TABLES, type DerivedTable } from "./derived-tables.ts";
import type { Problems } from "./problems.ts";

type Value = bigint | string | Uint8Array | null;
type Row = Readonly<Record<string, Value>>;

/** Longest text of one value in a report. */
const MAX_SHOWN = 100;

/** Compares every table that follows from messages, row by row, with one that was computed anew. */
export function compareDerived(stored: SqlConnection, computed: SqlConnection, problems: Problems): void {
  for (const table of DERIVED_TABLES) compareTable(table, stored, computed, problems);
}

/** Walks both sides in the order of the key, so that a missing row is one problem and no more. */
function compareTable(
  table: DerivedTable,
  stored: SqlConnection,
  computed: SqlConnection,
  problems: Problems,
): void {
  const left = rowsOf(table, stored);
  const right = rowsOf(table, computed);
  let found = left.next();
  let expected = right.next();
  while (found.done !== true || expected.done !== true) {
    const order = found.done ? 1 : expected.done ? -1 : compareKeys(table, found.value, expected.value);
    if (order < 0 && found.done !== true) {
      problems.report(table.name, `${nameOf(table, stored, found.value)} does not follow from any message`);
    } else if (order > 0 && expected.done !== true) {
      problems.report(table.name, `${nameOf(table, stored, expected.value)} is missing`);
    } else if (found.done !== true && expected.done !== true) {
      reportDifferences(table, stored, found.value, expected.value, problems);
    }
    if (order <= 0) found = left.next();
    if (order >= 0) expected = right.next();
  }
}

function rowsOf(table: DerivedTable, connection: SqlConnection): Generator<Row, void, undefined> {
  const columns = [...table.key, ...table.columns].join(", ");
  return connection.iterateBig<Row>(
    `SELECT ${columns} FROM ${table.source ?? table.name} AS compared ORDER BY ${table.key.join(", ")}`,
  );
}

function compareKeys({ key }: DerivedTable, a: Row, b: Row): number {
  for (const column of key) {
    const order = compareValues(a[column] ?? null, b[column] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

/** The order of SQLite within one type of value; keys have one. */
function compareValues(a: Value, b: Value): number {
  if (typeof a === "bigint" && typeof b === "bigint") return a < b ? -1 : a > b ? 1 : 0;
  return Buffer.compare(bytesOf(a), bytesOf(b));
}

const bytesOf = (value: Value): Uint8Array =>
  value instanceof Uint8Array ? value : Buffer.from(String(value ?? ""));

function reportDifferences(
  table: DerivedTable,
  stored: SqlConnection,
  found: Row,
  expected: Row,
  problems: Problems,
): void {
  for (const column of table.columns) {
    const [is, shouldBe] = [shown(found[column]), shown(expected[column])];
    if (is === shouldBe && compareValues(found[column] ?? null, expected[column] ?? null) === 0) continue;
    problems.report(table.name, `${nameOf(table, stored, found)}: ${column} is ${is}, computed ${shouldBe}`);
  }
}

function nameOf(table: DerivedTable, stored: SqlConnection, row: Row): string {
  const key = table.key.map((column) => `${column} ${shown(row[column])}`).join(", ");
  const id = table.item === undefined ? null : row[table.item];
  if (typeof id !== "bigint") return key;
  const item = stored.get<{ hash: Uint8Array }>("SELECT hash FROM items WHERE id = ?", id);
  return item === undefined ? key : `${key} (message ${decodeItemHash(item.hash)})`;
}

function shown(value: Value | undefined): string {
  if (value === null || value === undefined) return "nothing";
  const text = value instanceof Uint8Array ? Buffer.from(value).toString("hex") : String(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
