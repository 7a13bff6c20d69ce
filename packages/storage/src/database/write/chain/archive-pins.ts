import { PIN_CODE } from "../../codes.ts";
import { findFile } from "../load-files.ts";
import { addGracePin, dropGracePin } from "../save-files.ts";
import type { WriterSession } from "../writer-session.ts";

/** How long an archive outlives the transaction that named it. */
const GRACE_MICROS = 24n * 3_600_000_000n;

/** Keeps an archive for as long as a transaction names it: for good. */
export function pinArchive(
  session: WriterSession,
  fileHash: string,
  txHash: string,
  nowMicros: bigint,
): void {
  const fileId = findFile(session, fileHash);
  if (fileId === null) throw new Error(`Archive ${fileHash} is pinned before it has a row`);
  const { changes } = session.connection.run(
    `INSERT INTO pins (file_id, kind, tx_hash, created_us) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    ...[fileId, PIN_CODE.tx, txHash, nowMicros],
  );
  if (changes === 0) return;
  session.counters.add("pins", PIN_CODE.tx, 0, 1);
  dropGracePin(session, fileHash);
}

/** Lets go of an archive that a transaction names which is no more; it stays for a while. */
export function unpinArchive(
  session: WriterSession,
  fileHash: string,
  txHash: string,
  nowMicros: bigint,
): void {
  const fileId = findFile(session, fileHash);
  if (fileId === null) return;
  const { changes } = session.connection.run(
    `DELETE FROM pins WHERE file_id = ? AND kind = ${PIN_CODE.tx} AND tx_hash = ?`,
    ...[fileId, txHash],
  );
  if (changes === 0) return;
  session.counters.add("pins", PIN_CODE.tx, 0, -changes);
  addGracePin(session, fileHash, nowMicros, nowMicros + GRACE_MICROS);
}
