import { MESSAGE_TYPES, type MessageType } from "@twentysix/protocol";
import { COUNTER_CODE } from "../../codes.ts";
import type { SqlConnection, SqlValue } from "../../sql/connection.ts";
import type { AddressStats, AddressStatsQuery } from "../types.ts";

/** A place in the list: the count by which it is sorted, and the address. */
export interface StatsPosition {
  readonly rank: number;
  readonly address: string;
}
export interface StatsKey extends StatsPosition {
  readonly id: number;
}

interface Statement {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

const SENT = `c.a = a.id AND c.dimension = ${COUNTER_CODE.sender} AND c.n > 0`;

/** Senders after a position in their order. The engine goes over all addresses, and gives back no more than these. */
export function locateStats(
  connection: SqlConnection,
  query: AddressStatsQuery,
  after: StatsPosition | null,
  { limit, skip = 0 }: { readonly limit: number; readonly skip?: number },
): StatsKey[] {
  const { sortBy, direction } = query;
  const searched = search(connection, query);
  const isDescending = direction === "desc";
  const rank =
    sortBy === "total" ? "sum(c.n)" : `sum(CASE WHEN c.b = ${typeCode(sortBy)} THEN c.n ELSE 0 END)`;
  // As a whole number in both engines: one of them widens its sums.
  const sql = `SELECT id, rank, address FROM
      (SELECT a.id, a.address, CAST(${rank} AS BIGINT) AS rank FROM addresses AS a CROSS JOIN counters AS c
       WHERE ${SENT}${searched.sql} GROUP BY a.id) AS ranked
    ${after === null ? "" : `WHERE rank ${isDescending ? "<" : ">"} ? OR (rank = ? AND address > ?)`}
    ORDER BY rank ${isDescending ? "DESC" : "ASC"}, address LIMIT ? OFFSET ?`;
  const position = after === null ? [] : [after.rank, after.rank, after.address];
  return connection.all<StatsKey>(sql, ...searched.parameters, ...position, limit, skip);
}

export function countStats(connection: SqlConnection, query: AddressStatsQuery): number {
  const searched = search(connection, query);
  // By the same plan as above: looking for one counter of each address is four times slower.
  const sql = `SELECT count(*) AS n FROM
    (SELECT 1 AS one FROM addresses AS a CROSS JOIN counters AS c WHERE ${SENT}${searched.sql} GROUP BY a.id) AS senders`;
  return connection.get<{ n: number }>(sql, ...searched.parameters)?.n ?? 0;
}

/** The counts behind keys, in their order; a sender whose last message went meanwhile has none and is left out. */
export function statsOfKeys(connection: SqlConnection, keys: readonly StatsKey[]): AddressStats[] {
  const { dialect } = connection;
  const rows = connection.all<{ a: number; b: number; n: number }>(
    `SELECT c.a, c.b, c.n FROM ${dialect.jsonIntegers("?")} AS ids CROSS JOIN counters AS c
     WHERE c.a = ids.value AND c.dimension = ${COUNTER_CODE.sender} AND c.n > 0`,
    JSON.stringify(keys.map(({ id }) => id)),
  );
  const counts = new Map<number, Record<MessageType, number>>();
  for (const { a, b, n } of rows) {
    const type = MESSAGE_TYPES[b];
    if (type === undefined) continue;
    const byType = counts.get(a) ?? noMessages();
    byType[type] += n;
    counts.set(a, byType);
  }
  return keys.flatMap(({ id, address }) => {
    const byType = counts.get(id);
    if (byType === undefined) return [];
    return [{ address, messages: Object.values(byType).reduce((sum, n) => sum + n, 0), byType }];
  });
}

export const noMessages = (): Record<MessageType, number> =>
  Object.fromEntries(MESSAGE_TYPES.map((name) => [name, 0])) as Record<MessageType, number>;

const typeCode = (sortBy: Exclude<AddressStatsQuery["sortBy"], "total">): number =>
  MESSAGE_TYPES.indexOf(sortBy.toUpperCase() as MessageType);

function search({ dialect }: SqlConnection, { contains }: AddressStatsQuery): Statement {
  if (contains === undefined) return { sql: "", parameters: [] };
  return { sql: ` AND ${dialect.contains("a.lower", "?")}`, parameters: [contains.toLowerCase()] };
}
