import { encodeItemHash, isItemHash } from "@twentysix/protocol";
import { encodeRef } from "../../ref-bytes.ts";
import type { SqlConnection } from "../../sql/connection.ts";
import type { Dictionaries } from "../dictionary.ts";
import type { CostFilter, CostSummary } from "./ledger-views.ts";
import { PAYMENT_CODE } from "./payment-code.ts";

const TOTALS = "SELECT n, hold, stream, credit FROM cost_totals WHERE owner_id = ? AND payment = ?";
const ONE = "SELECT 1 AS n, owner_id, hold, stream, credit FROM costs WHERE payment = ? AND hash = ?";
const OWNER = "SELECT c.owner_id FROM costs AS c CROSS JOIN items AS i WHERE i.hash = ? AND c.id = i.id";
const SPENT = "SELECT credits FROM spent_credits WHERE account_id = ?";
const CONSUMED = "SELECT credits FROM consumed_credits WHERE resource = ?";

/** Stands for all owners and all accounts together. */
const EVERYBODY = 0;

interface Row {
  readonly n: number;
  readonly hold: string;
  readonly stream: string;
  readonly credit: string;
}

const NOTHING: Row = { n: 0, hold: "0", stream: "0", credit: "0" };

/** Credits that expenses took for a resource, all accounts together. */
export function consumedCredits(connection: SqlConnection, resource: string): bigint {
  if (resource === "") return 0n;
  return BigInt(connection.get<{ credits: string }>(CONSUMED, encodeRef(resource))?.credits ?? "0");
}

/** What resources cost together: out of kept sums, whatever their number. */
export function costSummary(
  connection: SqlConnection,
  { addresses }: Dictionaries,
  filter: CostFilter,
): CostSummary {
  const { owner, itemHash, paymentType } = filter;
  const ownerId = owner === undefined ? EVERYBODY : addresses.idOf(owner);
  if (ownerId === null) return summaryOf(NOTHING, 0n);
  if (itemHash !== undefined) return summaryOfOne(connection, ownerId, itemHash, PAYMENT_CODE[paymentType]);
  const row = connection.get<Row>(TOTALS, ownerId, PAYMENT_CODE[paymentType]) ?? NOTHING;
  const spent = connection.get<{ credits: string }>(SPENT, ownerId);
  return summaryOf(row, BigInt(spent?.credits ?? "0"));
}

function summaryOfOne(
  connection: SqlConnection,
  ownerId: number,
  itemHash: string,
  payment: number,
): CostSummary {
  if (!isItemHash(itemHash, { anyCidV1: true }))
    return summaryOf(NOTHING, ownerId === EVERYBODY ? consumedCredits(connection, itemHash) : 0n);
  const hash = encodeItemHash(itemHash);
  const isOwned =
    ownerId === EVERYBODY || connection.get<{ owner_id: number }>(OWNER, hash)?.owner_id === ownerId;
  if (!isOwned) return summaryOf(NOTHING, 0n);
  const row = connection.get<Row>(ONE, payment, hash) ?? NOTHING;
  return summaryOf(row, consumedCredits(connection, itemHash));
}

function summaryOf({ n, hold, stream, credit }: Row, consumed: bigint): CostSummary {
  return {
    resources: n,
    holdAtto: BigInt(hold),
    streamAttoPerSecond: BigInt(stream),
    creditAttoPerSecond: BigInt(credit),
    consumedCredits: consumed,
  };
}
