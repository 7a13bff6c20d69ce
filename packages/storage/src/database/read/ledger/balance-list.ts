import { formatAtto } from "@twentysix/protocol";
import type { SqlConnection, SqlValue } from "../../sql/connection.ts";
import type { Counters } from "../counters.ts";
import { type CursorScope, decodeCursor, encodeCursor, filterDigest } from "../cursor.ts";
import type { Dictionaries } from "../dictionary.ts";
import {
  type BoundedPageRequest,
  type ChunkRequest,
  cursorPage,
  firstOfPage,
  type ListReader,
  MAX_COUNTED_ROWS,
  type TotalCount,
  totalOf,
} from "../lists/list-reader.ts";
import type { CursorPage, JsonText, ListPage } from "../types.ts";
import type { BalancesQuery } from "./ledger-views.ts";

interface Row {
  readonly address: string;
  readonly chain: string;
  readonly dapp: string;
  readonly tokens: string;
}
type Place = Omit<Row, "tokens">;

/** Fewer rows than this with so large a balance are read and sorted; of more, enough lie in any part of the list. */
const FEW_LARGE = 20_000;

/** Balances of all addresses, one row for each chain and application. */
export class BalanceList implements ListReader<BalancesQuery> {
  readonly #connection: SqlConnection;
  readonly #names: Dictionaries;
  readonly #counters: Counters;

  constructor(connection: SqlConnection, names: Dictionaries, counters: Counters) {
    this.#connection = connection;
    this.#names = names;
    this.#counters = counters;
  }

  page(query: BalancesQuery, request: BoundedPageRequest): ListPage {
    const { page, pageSize } = request;
    const rows = this.#rows(query, null, pageSize, (page - 1) * pageSize);
    const first = firstOfPage(rows, request, render, encoderOf(query));
    return { ...first, ...totalOf(request, rows.length, () => this.#total(query)) };
  }

  cursor(query: BalancesQuery, request: ChunkRequest): CursorPage {
    const position = decodeCursor(scopeOf(query), request.cursor);
    const [address = "", chain = "", dapp = ""] = position?.texts ?? [];
    const after = position === null ? null : { address, chain, dapp };
    return cursorPage(this.#rows(query, after, request.pageSize + 1, 0), request, render, encoderOf(query));
  }

  #rows(query: BalancesQuery, after: Place | null, limit: number, skip: number): readonly Row[] {
    const walks = this.#walks(query, after);
    if (walks.length === 0) return [];
    const union = walks.map(({ sql }) => sql).join(" UNION ALL ");
    return this.#connection.all<Row>(
      `${union} ORDER BY address, chain, dapp LIMIT ? OFFSET ?`,
      ...walks.flatMap(({ parameters }) => parameters),
      limit,
      skip,
    );
  }

  /** What is merged in order: the whole table, one walk for each chain, or the few large balances. */
  #walks({ chains: given, minBalance }: BalancesQuery, after: Place | null): Walk[] {
    const { dialect } = this.#connection;
    const chains = given === undefined ? undefined : [...new Set(given)];
    const isRare = minBalance !== undefined && this.#countLarge(minBalance, FEW_LARGE) < FEW_LARGE;
    const large: Condition[] =
      minBalance === undefined ? [] : [{ sql: "whole >= ?", parameters: [minBalance] }];
    if (chains === undefined || isRare) {
      const onChains: Condition[] =
        chains === undefined
          ? []
          : [{ sql: `chain IN (${chains.map(() => "?").join()})`, parameters: chains }];
      const index = isRare ? dialect.indexedBy("balances_whole") : dialect.byPrimaryKey;
      return [walkOf(index, [...large, ...onChains, ...afterPlace(after)])];
    }
    return chains.map((chain) =>
      walkOf(dialect.indexedBy("balances_chain"), [
        { sql: "chain = ?", parameters: [chain] },
        ...large,
        ...afterOnChain(chain, after),
      ]),
    );
  }

  #total({ chains, minBalance }: BalancesQuery): TotalCount {
    if (minBalance === undefined) {
      const counted =
        chains === undefined
          ? this.#counters.all("balanceRows").map(({ n }) => n)
          : this.#names.labels.idsOf(chains).map((id) => this.#counters.get("balanceRows", id));
      return { total: counted.reduce((sum, n) => sum + n, 0), approximate: false };
    }
    const total = this.#countLarge(minBalance, MAX_COUNTED_ROWS + 1, chains && [...new Set(chains)]);
    return { total: Math.min(total, MAX_COUNTED_ROWS), approximate: total > MAX_COUNTED_ROWS };
  }

  #countLarge(minBalance: bigint, cap: number, chains?: readonly string[]): number {
    const onChains = chains === undefined ? "" : ` AND chain IN (${chains.map(() => "?").join()})`;
    const index = this.#connection.dialect.indexedBy("balances_whole");
    const rows = `SELECT 1 FROM balances ${index} WHERE whole >= ?${onChains} LIMIT ?`;
    const count = `SELECT count(*) AS n FROM (${rows}) AS x`;
    return this.#connection.get<{ n: number }>(count, minBalance, ...(chains ?? []), cap)?.n ?? 0;
  }
}

interface Condition {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}
type Walk = Condition;

function walkOf(index: string, conditions: readonly Condition[]): Walk {
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.map(({ sql }) => sql).join(" AND ")}`;
  const sql = `SELECT address, chain, dapp, tokens FROM balances ${index}${where}`;
  return { sql, parameters: conditions.flatMap(({ parameters }) => parameters) };
}

function afterPlace(after: Place | null): Condition[] {
  if (after === null) return [];
  return [
    { sql: "(address, chain, dapp) > (?, ?, ?)", parameters: [after.address, after.chain, after.dapp] },
  ];
}

/** Behind a place, of one chain: the address of the place still counts for the chains that come after its own. */
function afterOnChain(chain: string, after: Place | null): Condition[] {
  if (after === null) return [];
  if (chain === after.chain)
    return [{ sql: "(address, dapp) > (?, ?)", parameters: [after.address, after.dapp] }];
  return [{ sql: chain > after.chain ? "address >= ?" : "address > ?", parameters: [after.address] }];
}

function render({ address, chain, tokens }: Row): JsonText {
  const balance = Number(formatAtto(BigInt(tokens)));
  return JSON.stringify({ address, balance, chain });
}

function encoderOf(query: BalancesQuery): (row: Row) => string {
  const scope = scopeOf(query);
  return ({ address, chain, dapp }) => encodeCursor(scope, { times: [], texts: [address, chain, dapp] });
}

function scopeOf({ chains, minBalance }: BalancesQuery): CursorScope {
  return {
    list: "balances",
    order: "asc",
    digest: filterDigest({ chains, minBalance }),
    times: 0,
    texts: 3,
  };
}
