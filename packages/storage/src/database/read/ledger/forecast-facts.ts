import { decodeItemHash } from "@twentysix/protocol";
import { REMOVAL_REASONS } from "../../codes.ts";
import type { SqliteConnection } from "../../sqlite/connection.ts";
import type { Dictionaries } from "../dictionary.ts";
import type { ReadBudget } from "../read-budget.ts";
import type { ForecastFacts } from "./ledger-views.ts";
import { PAYMENT_CODE } from "./payment-code.ts";

const MAX_LOTS = 1_000;
/** Rows between two looks at the budget. */
const STEP_ROWS = 1_000;

const ACCOUNT = "SELECT tokens, held, credit_rate FROM accounts WHERE id = ?";
const LOTS = `SELECT remaining, expires_us FROM credit_lots WHERE account_id = ?
  AND (expires_us IS NULL OR expires_us > ?) ORDER BY time_us, hash, idx LIMIT ${MAX_LOTS + 1}`;
const COSTS = `SELECT hash, time_us, credit, removable FROM costs WHERE owner_id = ? AND payment = ${PAYMENT_CODE.credit}
  AND billed = 1`;
const MARKED = `SELECT c.hash, r.delete_by_us, r.reason FROM costs AS c CROSS JOIN removals AS r
  WHERE c.owner_id = ? AND r.id = c.id ORDER BY r.delete_by_us, c.hash LIMIT 1`;

const NOTHING: ForecastFacts = {
  tokensAtto: 0n,
  heldAtto: 0n,
  creditAttoPerSecond: 0n,
  lots: [],
  isCut: false,
  firstToGo: null,
  marked: null,
};

/** What the future of an account follows from, as it is now. Reads everything that the account pays for with credits. */
export function forecastFacts(
  connection: SqliteConnection,
  { addresses }: Dictionaries,
  address: string,
  nowMicros: bigint,
  budget: ReadBudget,
): ForecastFacts {
  const id = addresses.idOf(address);
  const account =
    id === null
      ? undefined
      : connection.get<{ tokens: string; held: string; credit_rate: string }>(ACCOUNT, id);
  if (id === null || account === undefined) return NOTHING;
  const lots = connection.allBig<{ remaining: bigint; expires_us: bigint | null }>(LOTS, id, nowMicros);
  const marked = connection.getBig<{ hash: Uint8Array; delete_by_us: bigint; reason: bigint }>(MARKED, id);
  return {
    tokensAtto: BigInt(account.tokens),
    heldAtto: BigInt(account.held),
    creditAttoPerSecond: BigInt(account.credit_rate),
    lots: lots
      .slice(0, MAX_LOTS)
      .map(({ remaining, expires_us }) => ({ remaining, expirationMicros: expires_us })),
    isCut: lots.length > MAX_LOTS,
    firstToGo: firstToGo(connection, id, budget),
    marked:
      marked === undefined
        ? null
        : {
            itemHash: decodeItemHash(marked.hash),
            deleteByMicros: marked.delete_by_us,
            reason: REMOVAL_REASONS[Number(marked.reason)] ?? "credit_insufficient",
          },
  };
}

/**
 * Messages are paid for in canonical order, so when credits decline the last one that can be removed is the first
 * that they do not reach for.
 */
function firstToGo(
  connection: SqliteConnection,
  ownerId: number,
  budget: ReadBudget,
): ForecastFacts["firstToGo"] {
  let last: { readonly hash: Uint8Array; readonly timeMicros: bigint } | null = null;
  const costs: { readonly hash: Uint8Array; readonly timeMicros: bigint; readonly credit: bigint }[] = [];
  for (const row of connection.iterateBig<{
    hash: Uint8Array;
    time_us: bigint;
    credit: string;
    removable: bigint;
  }>(COSTS, ownerId)) {
    const cost = { hash: row.hash, timeMicros: row.time_us, credit: BigInt(row.credit) };
    costs.push(cost);
    if (row.removable !== 0n && cost.credit > 0n && (last === null || isBefore(last, cost))) last = cost;
    if (costs.length % STEP_ROWS === 0) budget.checkpoint();
  }
  if (last === null) return null;
  let creditAttoPerSecond = 0n;
  for (const cost of costs)
    if (cost.hash === last.hash || isBefore(cost, last)) creditAttoPerSecond += cost.credit;
  return { itemHash: decodeItemHash(last.hash), creditAttoPerSecond };
}

interface Point {
  readonly hash: Uint8Array;
  readonly timeMicros: bigint;
}

/** The canonical order: by time, then by hash. */
const isBefore = (a: Point, b: Point): boolean =>
  a.timeMicros !== b.timeMicros ? a.timeMicros < b.timeMicros : Buffer.compare(a.hash, b.hash) < 0;
