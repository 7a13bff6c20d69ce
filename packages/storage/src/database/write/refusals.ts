import type { WriterSession } from "./writer-session.ts";

/** Refused copies kept of one item; further ones replace the oldest. */
const MAX_REFUSALS_PER_ITEM = 4;

/** A copy that can never be valid. */
export interface Refusal {
  readonly hash: string;
  /** Digest of the raw copy. */
  readonly identity: Uint8Array;
  /** The copy as received, capped by the caller. */
  readonly raw: string;
  readonly code: number;
  readonly detailsText: string | null;
  readonly atMicros: bigint;
}

/** Records a refused copy beside whatever else is known of its hash. Needs the item row. */
export function putRefusal(session: WriterSession, refusal: Refusal): void {
  const itemId = session.itemId(refusal.hash);
  session.connection.run(
    `INSERT INTO refusals (item_id, identity, raw, code, details, at_us) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (item_id, identity) DO UPDATE SET code = excluded.code, details = excluded.details, at_us = excluded.at_us`,
    itemId,
    refusal.identity,
    refusal.raw,
    refusal.code,
    refusal.detailsText,
    refusal.atMicros,
  );
  session.connection.run(
    `DELETE FROM refusals WHERE item_id = ? AND id NOT IN
       (SELECT id FROM refusals WHERE item_id = ? ORDER BY at_us DESC, id DESC LIMIT ?)`,
    itemId,
    itemId,
    MAX_REFUSALS_PER_ITEM,
  );
}

/** Forgets the refusals of copies that were accepted after all. */
export function dropRefusal(session: WriterSession, hash: string, identity: Uint8Array): void {
  const itemId = session.findItem(hash);
  if (itemId !== null) {
    session.connection.run("DELETE FROM refusals WHERE item_id = ? AND identity = ?", itemId, identity);
  }
}
