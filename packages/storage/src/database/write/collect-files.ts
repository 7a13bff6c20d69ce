import { findFile } from "./load-files.ts";
import { forgetShards } from "./note-shards.ts";
import { countGrace, dropGracePin } from "./save-files.ts";
import type { WriterSession } from "./writer-session.ts";

/*
 * Every decision to give a file up is made here, inside the transaction that records it: the row leaves `files` for
 * the journal `file_deletions` only when no pin is left at that moment. Bytes go later, see docs/decisions/0009.
 */

/** Ends graces that are over, the oldest first, and gives up their files where nothing else keeps them. */
export function collectExpired(session: WriterSession, nowMicros: bigint, limit: number): number {
  const { connection } = session;
  const expired = connection.all<{ id: number; file_id: number }>(
    "SELECT id, file_id FROM pins WHERE delete_by_us <= ? ORDER BY delete_by_us LIMIT ?",
    nowMicros,
    limit,
  );
  for (const { id, file_id: fileId } of expired) {
    connection.run("DELETE FROM pins WHERE id = ?", id);
    countGrace(session, fileId, -1);
    giveUpUnpinned(session, fileId, nowMicros);
  }
  return expired.length;
}

/** Ends whatever grace a file has and gives it up, unless a pin keeps it. */
export function releaseFile(session: WriterSession, fileHash: string, nowMicros: bigint): void {
  dropGracePin(session, fileHash);
  const fileId = findFile(session, fileHash);
  if (fileId !== null) giveUpUnpinned(session, fileId, nowMicros);
}

export function nextGraceEndMicros({ standing }: WriterSession): bigint | null {
  const row = standing.getBig<{ at: bigint | null }>(
    "SELECT min(delete_by_us) AS at FROM pins WHERE delete_by_us IS NOT NULL",
  );
  return row?.at ?? null;
}

function giveUpUnpinned(session: WriterSession, fileId: number, nowMicros: bigint): void {
  const { connection, collected } = session;
  if (connection.get("SELECT 1 FROM pins WHERE file_id = ? LIMIT 1", fileId) !== undefined) return;
  const file = connection.get<{ size: number }>("SELECT size FROM files WHERE id = ?", fileId);
  if (file === undefined) return;
  connection.run(
    `INSERT INTO file_deletions (hash, cid, size, due_us) SELECT hash, cid, size, CAST(? AS BIGINT) FROM files WHERE id = ?
     ON CONFLICT (hash) DO UPDATE SET cid = excluded.cid, size = excluded.size, due_us = excluded.due_us`,
    nowMicros,
    fileId,
  );
  forgetShards(session, fileId, nowMicros);
  connection.run("DELETE FROM damaged_files WHERE file_id = ?", fileId);
  connection.run("DELETE FROM file_proofs WHERE file_id = ?", fileId);
  connection.run("DELETE FROM files WHERE id = ?", fileId);
  collected.add(file.size);
}
