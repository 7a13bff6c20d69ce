import type { SqlConnection } from "../../sql/connection.ts";
import type { TotalCount } from "../lists/list-reader.ts";
import type { ReadBudget } from "../read-budget.ts";
import { ENTRY_COLUMNS, type EntryRow } from "./credit-entry-json.ts";
import { afterInTime, type HistoryWalk, joined } from "./credit-history-sql.ts";
import type { CreditPosition, CreditSumStep } from "./ledger-views.ts";

/** Entries that one statement looks at; between two of them the budget is asked. */
const STEP_ENTRIES = 20_000;
/** Entries that are looked at to count those that match a filter; more are not counted any further. */
const MAX_COUNTED_ENTRIES = 200_000;

type Direction = "asc" | "desc";

/** Entries in the order of time that meet the predicates of a walk. */
export function walkEntries(
  connection: SqlConnection,
  walk: HistoryWalk,
  wanted: {
    readonly direction: Direction;
    readonly after: CreditPosition | null;
    readonly skip: number;
    readonly limit: number;
  },
  budget: ReadBudget,
): EntryRow[] {
  const { direction, limit } = wanted;
  let { after, skip } = wanted;
  // Nothing is looked at in vain: one statement is enough.
  if (walk.predicates.length === 0)
    return matching(connection, walk, { after, until: null, direction, skip, limit });
  const found: EntryRow[] = [];
  for (;;) {
    budget.checkpoint();
    const until = placeAt(connection, walk, after, direction, STEP_ENTRIES - 1);
    const rows = matching(connection, walk, {
      after,
      until,
      direction,
      skip: 0,
      limit: skip + limit - found.length,
    });
    const passed = Math.min(skip, rows.length);
    skip -= passed;
    found.push(...rows.slice(passed));
    if (found.length >= limit || until === null) return found;
    after = until;
  }
}

/** How many entries a walk matches. */
export function countEntries(connection: SqlConnection, walk: HistoryWalk, budget: ReadBudget): TotalCount {
  let total = 0;
  let after: CreditPosition | null = null;
  for (let looked = 0; looked < MAX_COUNTED_ENTRIES; looked += STEP_ENTRIES) {
    budget.checkpoint();
    const step = sumStep(connection, walk, after, STEP_ENTRIES);
    total += step.entries;
    after = step.next;
    if (after === null) return { total, approximate: false };
  }
  return { total, approximate: true };
}

/** The sums over the next entries of a walk, the oldest first. */
export function sumStep(
  connection: SqlConnection,
  walk: HistoryWalk,
  after: CreditPosition | null,
  stepEntries: number,
): CreditSumStep {
  const next = placeAt(connection, walk, after, "asc", stepEntries - 1);
  const where = joined([...walk.base, ...bounds(after, next, "asc"), ...walk.predicates]);
  // In halves: the sum of 64-bit integers may not be one.
  const sum = (sign: string, part: string): string =>
    `coalesce(sum(e.amount ${part} ${2 ** 31}) FILTER (WHERE e.amount ${sign} 0), 0)`;
  const row = connection.getBig<Record<"n" | "in_high" | "in_low" | "out_high" | "out_low", bigint>>(
    `SELECT count(*) AS n, ${sum(">", "/")} AS in_high, ${sum(">", "%")} AS in_low, ${sum("<", "/")} AS out_high,
       ${sum("<", "%")} AS out_low FROM credit_entries AS e ${walk.index} WHERE ${where.sql}`,
    ...where.parameters,
  );
  const whole = (high = 0n, low = 0n): bigint => high * 2n ** 31n + low;
  return {
    entries: Number(row?.n ?? 0n),
    incoming: whole(row?.in_high, row?.in_low),
    outgoing: whole(row?.out_high, row?.out_low),
    next,
  };
}

function matching(
  connection: SqlConnection,
  walk: HistoryWalk,
  part: {
    readonly after: CreditPosition | null;
    readonly until: CreditPosition | null;
    readonly direction: Direction;
    readonly skip: number;
    readonly limit: number;
  },
): EntryRow[] {
  const { after, until, direction, skip, limit } = part;
  const where = joined([...walk.base, ...bounds(after, until, direction), ...walk.predicates]);
  return connection.allBig<EntryRow>(
    `SELECT ${ENTRY_COLUMNS} FROM credit_entries AS e ${walk.index} WHERE ${where.sql}
     ${orderOf(direction)} LIMIT ? OFFSET ?`,
    ...where.parameters,
    limit,
    skip,
  );
}

/** The entry so many places further in a walk, whether or not it meets the predicates; null behind the end. */
function placeAt(
  connection: SqlConnection,
  walk: HistoryWalk,
  after: CreditPosition | null,
  direction: Direction,
  offset: number,
): CreditPosition | null {
  const where = joined([...walk.base, ...(after === null ? [] : [afterInTime(after, direction)])]);
  const row = connection.getBig<{ time_us: bigint; hash: Uint8Array; idx: bigint }>(
    `SELECT e.time_us, e.hash, e.idx FROM credit_entries AS e ${walk.index} WHERE ${where.sql}
     ${orderOf(direction)} LIMIT 1 OFFSET ?`,
    ...where.parameters,
    offset,
  );
  return row === undefined ? null : { timeMicros: row.time_us, hash: row.hash, index: Number(row.idx) };
}

const orderOf = (direction: Direction): string => {
  const order = direction === "asc" ? "ASC" : "DESC";
  return `ORDER BY e.time_us ${order}, e.hash ${order}, e.idx ${order}`;
};

/** Behind one place, up to and with another. */
function bounds(
  after: CreditPosition | null,
  until: CreditPosition | null,
  direction: Direction,
): ReturnType<typeof afterInTime>[] {
  const from = after === null ? [] : [afterInTime(after, direction)];
  if (until === null) return from;
  const { timeMicros, hash, index } = until;
  const upTo = {
    sql: `(e.time_us, e.hash, e.idx) ${direction === "asc" ? "<=" : ">="} (?, ?, ?)`,
    parameters: [timeMicros, hash, index],
  };
  return [...from, upTo];
}
