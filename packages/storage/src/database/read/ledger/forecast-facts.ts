import { decodeItemHash } from "@twentysix/protocol";
import { REMOVAL_REASONS } from "../../codes.ts";
import type { SqlConnection } from "../../sql/connection.ts";
import type { Dictionaries } from "../dictionary.ts";
import type { ForecastFacts } from "./ledger-views.ts";
import { PAYMENT_CODE } from "./payment-code.ts";

const MAX_LOTS = 1_000;
/** Costs that are looked at, the latest first. */
const MAX_COSTS = 10_000;

const ACCOUNT = "SELECT tokens, held, credit_rate FROM accounts WHERE id = ?";
const LOTS = `SELECT remaining, expires_us FROM credit_lots WHERE account_id = ?
  AND (expires_us IS NULL OR expires_us > ?) ORDER BY time_us, hash, idx LIMIT ${MAX_LOTS + 1}`;
const latestCosts = ({
  dialect,
}: SqlConnection): string => `SELECT hash, credit, removable, billed FROM costs ${dialect.indexedBy("costs_order")}
  WHERE owner_id = ? AND payment = ${PAYMENT_CODE.credit} ORDER BY time_us DESC, hash DESC LIMIT ${MAX_COSTS}`;
const MARKED = `SELECT i.hash, r.delete_by_us, r.reason FROM removals AS r CROSS JOIN items AS i
  WHERE r.owner_id = ? AND i.id = r.id ORDER BY r.delete_by_us, i.hash LIMIT 1`;

const NOTHING: ForecastFacts = {
  tokensAtto: 0n,
  heldAtto: 0n,
  creditAttoPerSecond: 0n,
  lots: [],
  isCut: false,
  firstToGo: null,
  marked: null,
};

/** What the future of an account follows from, as it is now. */
export function forecastFacts(
  connection: SqlConnection,
  { addresses }: Dictionaries,
  address: string,
  nowMicros: bigint,
): ForecastFacts {
  const id = addresses.idOf(address);
  const account =
    id === null
      ? undefined
      : connection.get<{ tokens: string; held: string; credit_rate: string }>(ACCOUNT, id);
  if (id === null || account === undefined) return NOTHING;
  const lots = connection.allBig<{ remaining: bigint; expires_us: bigint | null }>(LOTS, id, nowMicros);
  const marked = connection.getBig<{ hash: Uint8Array; delete_by_us: bigint; reason: bigint }>(MARKED, id);
  const first = firstToGo(connection, id, BigInt(account.credit_rate));
  return {
    tokensAtto: BigInt(account.tokens),
    heldAtto: BigInt(account.held),
    creditAttoPerSecond: BigInt(account.credit_rate),
    lots: lots
      .slice(0, MAX_LOTS)
      .map(({ remaining, expires_us }) => ({ remaining, expirationMicros: expires_us })),
    isCut: lots.length > MAX_LOTS || first === undefined,
    firstToGo: first ?? null,
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
 * that they do not reach for: what comes after it, and stays, is taken off what all together take. undefined: it
 * was not found among the latest.
 */
function firstToGo(
  connection: SqlConnection,
  ownerId: number,
  totalAttoPerSecond: bigint,
): ForecastFacts["firstToGo"] | undefined {
  let creditAttoPerSecond = totalAttoPerSecond;
  let looked = 0;
  for (const row of connection.iterateBig<CostRow>(latestCosts(connection), ownerId)) {
    looked += 1;
    if (row.billed === 0n) continue;
    const credit = BigInt(row.credit);
    if (row.removable !== 0n && credit > 0n)
      return { itemHash: decodeItemHash(row.hash), creditAttoPerSecond };
    creditAttoPerSecond -= credit;
  }
  return looked < MAX_COSTS ? null : undefined;
}

interface CostRow {
  readonly hash: Uint8Array;
  readonly credit: string;
  readonly removable: bigint;
  readonly billed: bigint;
}
