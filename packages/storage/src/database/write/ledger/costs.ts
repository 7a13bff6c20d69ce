import { decodeItemHash, encodeItemHash, type PricedPaymentType } from "@twentysix/protocol";
import { type Change, type CostFact, compareVersions, type OwnedCost } from "@twentysix/state";
import { decodeAcceptance, encodeAcceptance } from "../../acceptance-text.ts";
import { PRICED_PAYMENTS, UNCONFIRMED } from "../../codes.ts";
import { decodeCostLines, encodeCostLines } from "../../cost-lines.ts";
import type { WriterSession } from "../writer-session.ts";
import { endCost } from "./ended-costs.ts";

/** A row of costs with the name of its price list. */
export interface CostRow {
  readonly owner_id: bigint;
  readonly payment: bigint;
  readonly hold: string;
  readonly stream: string;
  readonly credit: string;
  readonly lines: string;
  readonly time_us: bigint;
  readonly price_list: string;
  readonly billed: bigint;
  readonly acceptance: string | null;
  readonly removable: bigint;
  readonly file_size: bigint | null;
}

export function loadCost(session: WriterSession, hash: string): CostFact | null {
  const id = session.findItem(hash);
  if (id === null) return null;
  const row = session.connection.getBig<CostRow>(
    `SELECT c.owner_id, c.payment, c.hold, c.stream, c.credit, c.lines, c.time_us, p.hash AS price_list, c.billed,
       c.acceptance, c.removable, c.file_size FROM costs c JOIN price_lists p ON p.id = c.price_list_id WHERE c.id = ?`,
    id,
  );
  return row === undefined ? null : costOf(session, hash, row);
}

export function costOf(session: WriterSession, hash: string, row: CostRow): CostFact {
  return {
    owner: session.addresses.text(Number(row.owner_id)),
    paymentType: paymentOf(row.payment),
    lines: decodeCostLines(hash, row.lines),
    holdAtto: BigInt(row.hold),
    streamAttoPerSecond: BigInt(row.stream),
    creditAttoPerSecond: BigInt(row.credit),
    timeMicros: row.time_us,
    priceListHash: row.price_list,
    isBilled: row.billed !== 0n,
    acceptance: row.acceptance === null ? null : decodeAcceptance(row.acceptance),
    isRemovable: row.removable !== 0n,
    fileSizeBytes: row.file_size === null ? null : Number(row.file_size),
  };
}

function paymentOf(code: bigint): PricedPaymentType {
  const payment = PRICED_PAYMENTS[Number(code)];
  if (payment === undefined)
    throw new Error(`The database holds payment type ${code}, which this version does not know`);
  return payment;
}

/** Everything that an owner's live messages cost, in canonical order. */
export function loadOwnedCosts(session: WriterSession, owner: string): OwnedCost[] {
  const ownerId = session.addresses.find(owner);
  if (ownerId === null) return [];
  return session.connection
    .allBig<{
      hash: Uint8Array;
      payment: bigint;
      hold: string;
      credit: string;
      time_us: bigint;
      billed: bigint;
      removable: bigint;
      marked: bigint | null;
      height: bigint;
    }>(
      `SELECT c.hash, c.payment, c.hold, c.credit, c.time_us, c.billed, c.removable, r.id AS marked,
         m.confirmed_height AS height
       FROM costs c CROSS JOIN messages m LEFT JOIN removals r ON r.id = c.id WHERE c.owner_id = ? AND m.id = c.id`,
      ownerId,
    )
    .map((row) => ({
      hash: decodeItemHash(row.hash),
      timeMicros: row.time_us,
      paymentType: paymentOf(row.payment),
      holdAtto: BigInt(row.hold),
      creditAttoPerSecond: BigInt(row.credit),
      isBilled: row.billed !== 0n,
      isRemovable: row.removable !== 0n,
      isMarked: row.marked !== null,
      confirmedHeight: row.height === UNCONFIRMED ? null : row.height,
    }))
    .sort(compareVersions);
}

/** Writes what a message costs, or takes it away, with the sums. */
export function saveCost(
  session: WriterSession,
  { key: hash, before, after }: Change<CostFact>,
  nowMicros: bigint,
): void {
  const id = session.itemId(hash);
  if (before !== null) {
    if (after === null) endCost(session.connection, { id, hash, cost: before, nowMicros });
    session.connection.run("DELETE FROM costs WHERE id = ?", id);
    session.costTotals.add(before, session.addresses.intern(before.owner), -1);
  }
  if (after === null) return;
  const ownerId = session.addresses.intern(after.owner);
  session.costTotals.add(after, ownerId, 1);
  session.connection.run(
    `INSERT INTO costs (id, hash, owner_id, payment, hold, stream, credit, lines, time_us, price_list_id, billed,
       acceptance, removable, file_size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    encodeItemHash(hash),
    ownerId,
    PRICED_PAYMENTS.indexOf(after.paymentType),
    after.holdAtto.toString(),
    after.streamAttoPerSecond.toString(),
    after.creditAttoPerSecond.toString(),
    encodeCostLines(hash, after.lines),
    after.timeMicros,
    session.priceLists.idOf(after.priceListHash),
    after.isBilled ? 1 : 0,
    after.acceptance === null ? null : encodeAcceptance(after.acceptance),
    after.isRemovable ? 1 : 0,
    after.fileSizeBytes,
  );
}
