import type { SqlConnection, SqlValue } from "../../sql/connection.ts";
import type { AccessPath } from "./access-path.ts";
import { countRows } from "./count-rows.ts";
import type { Selection, TimedSource } from "./source.ts";

/** One ordered walk: an access path with a value for each of its columns. */
export interface Arm {
  readonly path: AccessPath;
  readonly values: readonly SqlValue[];
}

export interface Plan {
  readonly arms: readonly Arm[];
  /** Conditions of the selection that the arms do not already meet. */
  readonly remaining: readonly string[];
  /** About how many rows the arms hold together. */
  readonly estimatedRows: number;
  /** The arms are too many to be merged: read all their rows and sort them. */
  readonly gather: boolean;
}

/** Ordered walks that one statement merges. */
const MAX_ARMS = 60;
/** Rows that are read and sorted when there are more walks than that. */
export const MAX_GATHERED_ROWS = 20_000;
/** Index entries that are looked at to learn how many rows a value has. */
const MAX_PROBED_ROWS = 10_000;
/** A probe that was cut short is taken for this many times as many rows. */
const UNSEEN_FACTOR = 3;
/** Not worth looking for a better way. */
const FEW_ROWS = 200;

/**
 * Chooses by the counters which index drives the list: the one whose walks hold the fewest rows. The planner of
 * the database would guess from averages, and averages say nothing of a sender with half of all messages.
 */
export function planSelection(
  connection: SqlConnection,
  source: TimedSource,
  paths: readonly AccessPath[],
  selection: Selection,
): Plan {
  const ids = selection.conditions.get("id");
  if (ids !== undefined) return gatherById(selection, ids);
  const candidates = paths.map((path) => prepare(source, path, selection)).filter((plan) => plan !== null);
  const known: Plan[] = [];
  for (const candidate of candidates) {
    const rows = estimateFromCounters(source, candidate, selection);
    if (rows !== null) known.push({ ...candidate, estimatedRows: rows });
  }
  let best = known.reduce<Plan | null>((a, b) => (a !== null && isBetter(a, b) ? a : b), null);
  for (const candidate of candidates) {
    if (known.some((plan) => plan.arms === candidate.arms) && !isBounded(selection)) continue;
    if (best !== null && best.estimatedRows <= FEW_ROWS && best.remaining.length === 0) break;
    const cap = Math.min(best?.estimatedRows ?? MAX_PROBED_ROWS, MAX_PROBED_ROWS);
    const rows = countRows(connection, source, candidate.arms, selection, cap);
    const estimatedRows = rows < cap ? rows : cap * UNSEEN_FACTOR;
    if (candidate.gather && estimatedRows > MAX_GATHERED_ROWS) continue;
    const probed = { ...candidate, estimatedRows };
    if (best === null || isBetter(probed, best)) best = probed;
  }
  if (best === null)
    throw new RangeError(`no index of ${source.table} ends in ${source.time}: run the migrations`);
  return best;
}

/** Rows that are named one by one. */
function gatherById(selection: Selection, ids: readonly SqlValue[]): Plan {
  const remaining = [...selection.conditions.keys()].filter((column) => column !== "id");
  const arms = [{ path: { index: null, columns: ["id"] }, values: [] }];
  return { arms, remaining, estimatedRows: ids.length, gather: true };
}

/** The walks that a path needs for a selection, or null when it does not help. */
function prepare(source: TimedSource, path: AccessPath, selection: Selection): Plan | null {
  const choices: (readonly SqlValue[])[] = [];
  const met = new Set<string>();
  for (const column of path.columns) {
    const values = selection.conditions.get(column) ?? source.enumerable[column];
    if (values === undefined) return null;
    if (selection.conditions.has(column)) met.add(column);
    choices.push(values);
  }
  if (path.columns[0] !== undefined && !met.has(path.columns[0])) return null;
  const arms = combinations(choices).map((values) => ({ path, values }));
  const remaining = [...selection.conditions.keys()].filter((column) => !met.has(column));
  return { arms, remaining, estimatedRows: 0, gather: arms.length > MAX_ARMS };
}

function estimateFromCounters(source: TimedSource, plan: Plan, selection: Selection): number | null {
  const columns = (plan.arms[0]?.path.columns ?? []).filter((column) => selection.conditions.has(column));
  const rows = source.estimate(
    columns,
    columns.map((column) => selection.conditions.get(column) ?? []),
  );
  if (rows === null || (plan.gather && rows > MAX_GATHERED_ROWS)) return null;
  return rows;
}

/** Fewer rows first; then fewer conditions left to check; then fewer walks. */
function isBetter(a: Plan, b: Plan): boolean {
  if (a.estimatedRows !== b.estimatedRows) return a.estimatedRows < b.estimatedRows;
  if (a.remaining.length !== b.remaining.length) return a.remaining.length < b.remaining.length;
  return a.arms.length < b.arms.length;
}

function isBounded(selection: Selection): boolean {
  return selection.lowestMicros !== null || selection.highestMicros !== null;
}

function combinations(choices: readonly (readonly SqlValue[])[]): SqlValue[][] {
  let rows: SqlValue[][] = [[]];
  for (const values of choices) rows = rows.flatMap((row) => values.map((value) => [...row, value]));
  return rows;
}
