import type { Change, RemovalFact, RemovedBill } from "@twentysix/state";
import { encodeAcceptance } from "../../acceptance-text.ts";
import { PRICED_PAYMENTS, REMOVAL_REASONS } from "../../codes.ts";
import { encodeCostLines } from "../../cost-lines.ts";
import { decodeShortfall, encodeShortfall } from "../../shortfall-text.ts";
import type { WriterSession } from "../writer-session.ts";
import { type CostRow, costOf } from "./costs.ts";

interface RemovalRow {
  readonly owner_id: bigint;
  readonly since_us: bigint;
  readonly delete_by_us: bigint;
  readonly reason: bigint;
  readonly marked: string | null;
}

export function loadRemoval(session: WriterSession, hash: string): RemovalFact | null {
  const id = session.findItem(hash);
  if (id === null) return null;
  const row = session.connection.getBig<RemovalRow>(
    "SELECT owner_id, since_us, delete_by_us, reason, marked FROM removals WHERE id = ?",
    id,
  );
  return row === undefined ? null : removalOf(session, row);
}

function removalOf(session: WriterSession, row: RemovalRow): RemovalFact {
  return {
    owner: session.addresses.text(Number(row.owner_id)),
    sinceMicros: row.since_us,
    deleteByMicros: row.delete_by_us,
    reason: REMOVAL_REASONS[Number(row.reason)] ?? "balance_insufficient",
    marked: row.marked === null ? null : decodeShortfall(row.marked),
  };
}

export function saveRemoval(session: WriterSession, { key: hash, after }: Change<RemovalFact>): void {
  const id = session.itemId(hash);
  session.connection.run("DELETE FROM removals WHERE id = ?", id);
  if (after === null) return;
  session.connection.run(
    "INSERT INTO removals (id, owner_id, since_us, delete_by_us, reason, marked) VALUES (?, ?, ?, ?, ?, ?)",
    id,
    session.addresses.intern(after.owner),
    after.sinceMicros,
    after.deleteByMicros,
    REMOVAL_REASONS.indexOf(after.reason),
    after.marked === null ? null : encodeShortfall(after.marked),
  );
}

interface RemovedBillRow extends Omit<CostRow, "removable">, RemovalRow {
  readonly ended: string;
  readonly news_hash: string;
  readonly news_time_us: bigint;
  readonly news_processed_us: bigint;
}

/** null for what is not removed, or was by an older version of this program. */
export function loadRemovedBill(session: WriterSession, hash: string): RemovedBill | null {
  const id = session.findItem(hash);
  if (id === null) return null;
  const row = session.connection.getBig<RemovedBillRow>(
    `SELECT b.owner_id, b.payment, b.hold, b.stream, b.credit, b.lines, b.time_us, p.hash AS price_list, b.billed,
       b.acceptance, b.file_size, b.since_us, b.delete_by_us, b.reason, b.marked, b.ended, b.news_hash, b.news_time_us,
       b.news_processed_us
     FROM removed_bills b JOIN price_lists p ON p.id = b.price_list_id WHERE b.id = ?`,
    id,
  );
  if (row === undefined) return null;
  return {
    cost: costOf(session, hash, { ...row, removable: 1n }),
    removal: removalOf(session, row),
    ended: decodeShortfall(row.ended),
    publication: {
      hash: row.news_hash,
      timeMicros: row.news_time_us,
      processedMicros: row.news_processed_us,
    },
  };
}

/** Keeps what a removed message cost and why it ended. It goes with the record of the removal: `dropRemoved`. */
export function saveRemovedBill(session: WriterSession, { key: hash, after }: Change<RemovedBill>): void {
  if (after === null) throw new Error(`The bill of the removed ${hash} goes with its removal alone`);
  const { cost, removal, ended, publication } = after;
  session.connection.run(
    `INSERT INTO removed_bills (id, owner_id, payment, hold, stream, credit, lines, time_us, price_list_id, billed,
       acceptance, file_size, since_us, delete_by_us, reason, marked, ended, news_hash, news_time_us, news_processed_us)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    session.itemId(hash),
    session.addresses.intern(cost.owner),
    PRICED_PAYMENTS.indexOf(cost.paymentType),
    cost.holdAtto.toString(),
    cost.streamAttoPerSecond.toString(),
    cost.creditAttoPerSecond.toString(),
    encodeCostLines(hash, cost.lines),
    cost.timeMicros,
    session.priceLists.idOf(cost.priceListHash),
    cost.isBilled ? 1 : 0,
    cost.acceptance === null ? null : encodeAcceptance(cost.acceptance),
    cost.fileSizeBytes,
    removal.sinceMicros,
    removal.deleteByMicros,
    REMOVAL_REASONS.indexOf(removal.reason),
    removal.marked === null ? null : encodeShortfall(removal.marked),
    encodeShortfall(ended),
    publication.hash,
    publication.timeMicros,
    publication.processedMicros,
  );
}
