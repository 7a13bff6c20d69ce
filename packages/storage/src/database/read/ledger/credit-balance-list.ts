import type { SqlConnection } from "../../sql/connection.ts";
import type { Dialect } from "../../sql/dialect.ts";
import { type CursorScope, decodeCursor, encodeCursor, filterDigest } from "../cursor.ts";
import {
  type BoundedPageRequest,
  type ChunkRequest,
  cursorPage,
  firstOfPage,
  type ListReader,
  totalOf,
} from "../lists/list-reader.ts";
import type { CursorPage, JsonText, ListPage } from "../types.ts";
import { creditsOfAccount } from "./balance.ts";
import type { CreditBalancesQuery } from "./ledger-views.ts";

/** Whoever ever got credits. */
const accounts = ({
  indexedBy,
}: Dialect): string => `SELECT id, address FROM accounts ${indexedBy("accounts_credits")}
  WHERE credits_in <> '0' AND address > ? ORDER BY address LIMIT ? OFFSET ?`;
const counted = ({ indexedBy }: Dialect): string =>
  `SELECT count(*) AS n FROM accounts ${indexedBy("accounts_credits")} WHERE credits_in <> '0'`;
/** The sum is a float: those at the bound are looked at once more. */
const LARGE = `SELECT a.id, a.address FROM
  (SELECT account_id FROM credit_lots WHERE expires_us IS NULL OR expires_us > ?
   GROUP BY account_id HAVING sum(CAST(remaining AS DOUBLE PRECISION)) >= ?) AS l
  CROSS JOIN accounts AS a WHERE a.id = l.account_id AND a.address > ? ORDER BY a.address`;

interface Account {
  readonly id: number;
  readonly address: string;
}
interface Row {
  readonly address: string;
  readonly credits: bigint;
}

/** Credits of all addresses that ever got some. */
export class CreditBalanceList implements ListReader<CreditBalancesQuery> {
  readonly #connection: SqlConnection;

  constructor(connection: SqlConnection) {
    this.#connection = connection;
  }

  page(query: CreditBalancesQuery, request: BoundedPageRequest): ListPage {
    const { page, pageSize } = request;
    const skip = (page - 1) * pageSize;
    const encode = encoderOf(query);
    if (query.minBalance !== undefined) {
      const large = this.#large(query, "");
      const rows = large.slice(skip, skip + pageSize);
      return { ...firstOfPage(rows, request, render, encode), total: large.length, approximate: false };
    }
    const rows = this.#rows(query, "", pageSize, skip);
    const count = () => ({
      total: this.#connection.get<{ n: number }>(counted(this.#connection.dialect))?.n ?? 0,
      approximate: false,
    });
    return { ...firstOfPage(rows, request, render, encode), ...totalOf(request, rows.length, count) };
  }

  cursor(query: CreditBalancesQuery, request: ChunkRequest): CursorPage {
    const after = decodeCursor(scopeOf(query), request.cursor)?.texts[0] ?? "";
    const limit = request.pageSize + 1;
    const rows =
      query.minBalance === undefined
        ? this.#rows(query, after, limit, 0)
        : this.#large(query, after).slice(0, limit);
    return cursorPage(rows, request, render, encoderOf(query));
  }

  #rows(query: CreditBalancesQuery, after: string, limit: number, skip: number): Row[] {
    return this.#connection
      .all<Account>(accounts(this.#connection.dialect), after, limit, skip)
      .map((account) => this.#rowOf(account, query));
  }

  #large(query: CreditBalancesQuery, after: string): Row[] {
    const { minBalance = 0n, nowMicros } = query;
    return this.#connection
      .all<Account>(LARGE, nowMicros, Number(minBalance) * (1 - Number.EPSILON * 4), after)
      .map((account) => this.#rowOf(account, query))
      .filter(({ credits }) => credits >= minBalance);
  }

  #rowOf({ id, address }: Account, { nowMicros }: CreditBalancesQuery): Row {
    return { address, credits: creditsOfAccount(this.#connection, id, nowMicros) };
  }
}

const render = ({ address, credits }: Row): JsonText =>
  `{"address":${JSON.stringify(address)},"credits":${credits}}`;

function encoderOf(query: CreditBalancesQuery): (row: Row) => string {
  const scope = scopeOf(query);
  return ({ address }) => encodeCursor(scope, { times: [], texts: [address] });
}

function scopeOf({ minBalance }: CreditBalancesQuery): CursorScope {
  return { list: "creditBalances", order: "asc", digest: filterDigest({ minBalance }), times: 0, texts: 1 };
}
