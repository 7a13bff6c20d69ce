import { encodeItemHash } from "@twentysix/protocol";
import type { Coding } from "./note-files.ts";
import type { WriterSession } from "./writer-session.ts";

/** The two fixed names of a shard's bytes. */
export interface ShardNames {
  readonly sha256: string;
  readonly cid: string;
}

/** Something that a peer was caught at. */
export interface PeerFault {
  readonly peerId: string;
  readonly kind: string;
  /** The file that it was about; null: none. */
  readonly file: string | null;
  readonly atMicros: bigint;
  /** JSON. */
  readonly evidence: string;
}

/** Faults that are kept, and bytes of their evidence; the oldest go, and the newest stays in any case. */
const MAX_FAULTS = 10_000;
const MAX_EVIDENCE_BYTES = 64 * 1024 * 1024;

/** Writes down what a file becomes in shards. Those of another code go, the same ones stay as they are. */
export function noteCoding(session: WriterSession, name: string, coding: Coding, nowMicros: bigint): void {
  const { connection } = session;
  const fileId = fileIdOf(session, name);
  if (fileId === null) return;
  const { dataShards, totalShards, codedBytes, shards } = coding;
  const known = connection.get(
    "SELECT 1 FROM coded_files WHERE file_id = ? AND data_shards = ? AND total_shards = ? AND coded_bytes = ?",
    fileId,
    dataShards,
    totalShards,
    codedBytes,
  );
  if (known !== undefined) return;
  forgetShards(session, fileId, nowMicros);
  connection.run(
    "INSERT INTO coded_files (file_id, data_shards, total_shards, coded_bytes) VALUES (?, ?, ?, ?)",
    fileId,
    dataShards,
    totalShards,
    codedBytes,
  );
  for (const [position, { sha256, cid }] of shards.entries())
    connection.run(
      "INSERT INTO file_shards (file_id, position, sha256, cid, is_held) VALUES (?, ?, ?, ?, 0)",
      fileId,
      position,
      encodeItemHash(sha256),
      encodeItemHash(cid),
    );
}

/** Writes down which shards are here, and lets the bytes of others go. */
export function noteHeldShards(
  session: WriterSession,
  note: { readonly name: string; readonly held: readonly number[]; readonly dropped: readonly number[] },
  nowMicros: bigint,
): void {
  const { connection } = session;
  const fileId = fileIdOf(session, note.name);
  if (fileId === null) return;
  const shard = "file_id = ? AND position = ?";
  for (const position of note.held) {
    connection.run(`UPDATE file_shards SET is_held = 1 WHERE ${shard}`, fileId, position);
    const journal = `DELETE FROM file_deletions WHERE hash = (SELECT cid FROM file_shards WHERE ${shard})`;
    connection.run(journal, fileId, position);
  }
  for (const position of note.dropped) {
    journalShards(session, `${shard} AND is_held = 1`, [fileId, position], nowMicros);
    connection.run(`UPDATE file_shards SET is_held = 0 WHERE ${shard}`, fileId, position);
  }
}

/** The bytes of shards are missing, or not what they were: what is left of them goes, and they are made anew. */
export function noteLostShards(session: WriterSession, name: string, nowMicros: bigint): void {
  const bytes = encodeItemHash(name);
  const rows = session.connection.all<{ file_id: number; position: number }>(
    `SELECT file_id, position FROM file_shards WHERE is_held = 1 AND cid = ?
     UNION SELECT file_id, position FROM file_shards WHERE is_held = 1 AND sha256 = ?`,
    bytes,
    bytes,
  );
  for (const { file_id: fileId, position } of rows) {
    const shard = "file_id = ? AND position = ?";
    journalShards(session, `${shard} AND is_held = 1`, [fileId, position], nowMicros);
    session.connection.run(`UPDATE file_shards SET is_held = 0 WHERE ${shard}`, fileId, position);
  }
}

/** Nothing is known of a file's shards any more; the bytes of those that are here go. */
export function forgetShards(session: WriterSession, fileId: number, nowMicros: bigint): void {
  journalShards(session, "file_id = ? AND is_held = 1", [fileId], nowMicros);
  for (const table of ["file_shards", "shard_proofs", "coded_files"])
    session.connection.run(`DELETE FROM ${table} WHERE file_id = ?`, fileId);
}

export function noteFault({ connection }: WriterSession, fault: PeerFault): void {
  const { peerId, kind, file, atMicros, evidence } = fault;
  connection.run(
    "INSERT INTO peer_faults (peer, kind, file, at_us, evidence) VALUES (?, ?, ?, ?, ?)",
    peerId,
    kind,
    file === null ? null : encodeItemHash(file),
    atMicros,
    evidence,
  );
  connection.run("DELETE FROM peer_faults WHERE id <= (SELECT max(id) FROM peer_faults) - ?", MAX_FAULTS);
  connection.run(
    `DELETE FROM peer_faults WHERE id < (SELECT max(id) FROM peer_faults) AND id IN (
       SELECT id FROM (SELECT id, sum(octet_length(evidence)) OVER (ORDER BY id DESC) AS bytes FROM peer_faults) newest
       WHERE bytes > ?)`,
    MAX_EVIDENCE_BYTES,
  );
}

/** Whether somebody else needs them too is looked at before they are removed. */
function journalShards(
  { connection }: WriterSession,
  condition: string,
  parameters: readonly number[],
  nowMicros: bigint,
): void {
  connection.run(
    `INSERT INTO file_deletions (hash, size, due_us)
     SELECT DISTINCT s.cid, (SELECT c.coded_bytes / c.data_shards FROM coded_files c WHERE c.file_id = s.file_id),
       CAST(? AS BIGINT)
     FROM file_shards s WHERE ${condition}
     ON CONFLICT (hash) DO UPDATE SET due_us = excluded.due_us`,
    nowMicros,
    ...parameters,
  );
}

function fileIdOf({ connection }: WriterSession, name: string): number | null {
  const row = connection.get<{ id: number }>("SELECT id FROM files WHERE hash = ?", encodeItemHash(name));
  return row?.id ?? null;
}
