import { MESSAGE_TYPE_CODE, STATUS_CODE } from "../../codes.ts";
import { encodeRef } from "../../ref-bytes.ts";
import type { SqlConnection, SqlValue } from "../../sql/connection.ts";
import type { CreditHistoryFilter, CreditPosition, CreditSort } from "./ledger-views.ts";

export interface Condition {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** Which entries are walked in the order of time, by an index; what else they must meet is checked row by row. */
export interface HistoryWalk {
  readonly index: string;
  readonly base: readonly Condition[];
  readonly predicates: readonly Condition[];
}

/** The walk of an account, or of one of its resources. */
export function historyWalk(
  { dialect }: Pick<SqlConnection, "dialect">,
  accountId: number,
  filter: CreditHistoryFilter,
): HistoryWalk {
  const base: Condition[] = [{ sql: "e.account_id = ?", parameters: [accountId] }];
  const ofResource = filter.resource !== undefined;
  if (filter.resource !== undefined)
    base.push({ sql: "e.resource = ?", parameters: [encodeRef(filter.resource)] });
  if (filter.startMicros !== undefined)
    base.push({ sql: "e.time_us >= ?", parameters: [filter.startMicros] });
  if (filter.endMicros !== undefined) base.push({ sql: "e.time_us <= ?", parameters: [filter.endMicros] });
  return {
    index: ofResource ? dialect.indexedBy("credit_entries_resource") : dialect.byPrimaryKey,
    base,
    predicates: predicatesOf(filter),
  };
}

const EXACT = {
  txHash: "tx_hash",
  token: "token",
  chain: "chain",
  provider: "provider",
  origin: "origin",
  originRef: "origin_ref",
  paymentMethod: "method",
} as const;

function predicatesOf(filter: CreditHistoryFilter): Condition[] {
  const predicates: Condition[] = [];
  for (const [name, column] of Object.entries(EXACT)) {
    const value = filter[name as keyof typeof EXACT];
    if (value !== undefined) predicates.push({ sql: `e.${column} = ?`, parameters: [value] });
  }
  const { hasExpiration, excludedMethods, sign, resourceTypes } = filter;
  if (hasExpiration !== undefined)
    predicates.push({ sql: `e.expires_us IS ${hasExpiration ? "NOT " : ""}NULL`, parameters: [] });
  if (excludedMethods !== undefined) {
    const methods = [...new Set(excludedMethods)];
    predicates.push({
      sql: `e.method IS NOT NULL AND e.method NOT IN (${placeholders(methods)})`,
      parameters: methods,
    });
  }
  if (sign !== undefined)
    predicates.push({ sql: sign === "incoming" ? "e.amount > 0" : "e.amount < 0", parameters: [] });
  if (resourceTypes !== undefined) {
    const types = [...new Set(resourceTypes)];
    const statuses = `${STATUS_CODE.processed}, ${STATUS_CODE.removing}`;
    const live = `SELECT 1 FROM items AS i CROSS JOIN messages AS m WHERE i.hash = e.resource
      AND i.status IN (${statuses}) AND m.id = i.id AND m.type IN (${placeholders(types)})`;
    predicates.push({
      sql: `e.resource IS NOT NULL AND EXISTS (${live})`,
      parameters: types.map((type) => MESSAGE_TYPE_CODE[type]),
    });
  }
  return predicates;
}

const placeholders = (values: readonly unknown[]): string => values.map(() => "?").join();

/** What orders a history; entries without a value come last in both directions. */
export const SORT_COLUMNS: Readonly<Record<CreditSort, string>> = {
  message_timestamp: "time_us",
  expiration_date: "expires_us",
  payment_method: "method",
  amount: "amount",
  origin: "origin",
  tx_hash: "tx_hash",
  provider: "provider",
};

/** Behind a place in the order of time. */
export function afterInTime(after: CreditPosition, direction: "asc" | "desc"): Condition {
  const { timeMicros, hash, index } = after;
  return {
    sql: `(e.time_us, e.hash, e.idx) ${direction === "asc" ? ">" : "<"} (?, ?, ?)`,
    parameters: [timeMicros, hash, index],
  };
}

/** Behind a place in the order of another column. */
export function afterInSort(
  sortBy: CreditSort,
  direction: "asc" | "desc",
  value: SqlValue,
  { hash, index }: Pick<CreditPosition, "hash" | "index">,
): Condition {
  const column = `e.${SORT_COLUMNS[sortBy]}`;
  const beyond = direction === "asc" ? ">" : "<";
  const tie = `(e.hash, e.idx) ${beyond} (?, ?)`;
  if (value === null) return { sql: `${column} IS NULL AND ${tie}`, parameters: [hash, index] };
  return {
    sql: `(${column} ${beyond} ? OR (${column} = ? AND ${tie}) OR ${column} IS NULL)`,
    parameters: [value, value, hash, index],
  };
}

/** The text and parameters of conditions that must all hold. */
export function joined(conditions: readonly Condition[]): Condition {
  return {
    sql: conditions.length === 0 ? "TRUE" : conditions.map(({ sql }) => `(${sql})`).join(" AND "),
    parameters: conditions.flatMap(({ parameters }) => parameters),
  };
}
