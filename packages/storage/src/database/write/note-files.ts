import { encodeItemHash } from "@twentysix/protocol";
import { FILE_DAMAGES, type FileDamage } from "../codes.ts";
import {
  noteCoding,
  noteFault,
  noteHeldShards,
  noteLostShards,
  type PeerFault,
  type ShardNames,
} from "./note-shards.ts";
import { addGracePin } from "./save-files.ts";
import type { WriterSession } from "./writer-session.ts";

/** What became of bytes, or was found out about them by looking at the disk. Files are called by their names. */
export type FileNote =
  /** The bytes are gone: the journal is done with these names. */
  | { readonly kind: "erased"; readonly names: readonly string[] }
  /** Bytes without a record: they go at `dueMicros` unless they are registered until then. */
  | {
      readonly kind: "strays";
      readonly strays: readonly { readonly name: string; readonly sizeBytes: number }[];
      readonly dueMicros: bigint;
    }
  /** Records that nothing pins: each gets a time of grace. */
  | { readonly kind: "unpinned"; readonly names: readonly string[]; readonly graceUntilMicros: bigint }
  /** Registered files, or their SHA-256, whose bytes are missing or corrupt. */
  | { readonly kind: "damaged"; readonly names: readonly string[]; readonly damage: FileDamage }
  /** Missing bytes, or such as were given up, that are there again. */
  | { readonly kind: "recovered"; readonly names: readonly string[] }
  /** The bytes of these are given up: others have proven that they hold them. */
  | { readonly kind: "elsewhere"; readonly names: readonly string[] }
  /** What peers have proven, or could not prove any more (null). */
  | { readonly kind: "proofs"; readonly proofs: readonly FileProof[] }
  /** What a file becomes in shards, as computed here. */
  | ({ readonly kind: "coded"; readonly name: string } & Coding)
  /** Shards of a file that are here now, and such whose bytes are to go. */
  | {
      readonly kind: "shards";
      readonly name: string;
      readonly held: readonly number[];
      readonly dropped: readonly number[];
    }
  /** A peer was caught. */
  | { readonly kind: "fault"; readonly fault: PeerFault };

export interface Coding {
  readonly dataShards: number;
  readonly totalShards: number;
  /** Bytes of what is cut: the file, or the CAR of its blocks. */
  readonly codedBytes: number;
  /** By position. */
  readonly shards: readonly ShardNames[];
}

export interface FileProof {
  readonly name: string;
  /** The shard that was proven; null: the whole file. */
  readonly position: number | null;
  readonly peerId: string;
  readonly provenMicros: bigint | null;
}

/** Writes a note down; what it says was found earlier, so each name is looked at again here. */
export function noteFiles(session: WriterSession, note: FileNote, nowMicros: bigint): void {
  switch (note.kind) {
    case "erased":
      for (const name of note.names) {
        session.connection.run("DELETE FROM file_deletions WHERE hash = ?", encodeItemHash(name));
      }
      break;
    case "strays":
      for (const { name, sizeBytes } of note.strays) noteStray(session, name, sizeBytes, note.dueMicros);
      break;
    case "unpinned":
      for (const name of note.names) {
        if (isPinned(session, name)) continue;
        addGracePin(session, name, nowMicros, note.graceUntilMicros);
      }
      break;
    case "damaged":
      for (const name of note.names) noteDamage(session, name, note.damage, nowMicros);
      break;
    case "recovered":
      for (const name of note.names) {
        session.connection.run(
          `DELETE FROM damaged_files WHERE reason <> ${FILE_DAMAGES.indexOf("corrupt")}
           AND file_id = (SELECT id FROM files WHERE hash = ?)`,
          encodeItemHash(name),
        );
      }
      break;
    case "elsewhere":
      for (const name of note.names) noteDamage(session, name, "elsewhere", nowMicros);
      break;
    case "proofs":
      for (const proof of note.proofs) noteProof(session, proof);
      break;
    case "coded":
      noteCoding(session, note.name, note, nowMicros);
      break;
    case "shards":
      noteHeldShards(session, note, nowMicros);
      break;
    case "fault":
      noteFault(session, note.fault);
      break;
  }
}

function noteProof({ connection }: WriterSession, { name, position, peerId, provenMicros }: FileProof): void {
  const file = "(SELECT id FROM files WHERE hash = ?)";
  if (position !== null && provenMicros === null) {
    const proof = `file_id = ${file} AND position = ? AND peer = ?`;
    connection.run(`DELETE FROM shard_proofs WHERE ${proof}`, encodeItemHash(name), position, peerId);
    return;
  }
  if (position !== null) {
    connection.run(
      `INSERT INTO shard_proofs (file_id, position, peer, proven_us) SELECT id, ?, ?, ? FROM files WHERE hash = ?
       ON CONFLICT (file_id, position, peer) DO UPDATE SET proven_us = excluded.proven_us`,
      position,
      peerId,
      provenMicros,
      encodeItemHash(name),
    );
    return;
  }
  if (provenMicros === null) {
    connection.run(
      `DELETE FROM file_proofs WHERE file_id = ${file} AND peer = ?`,
      encodeItemHash(name),
      peerId,
    );
    return;
  }
  connection.run(
    `INSERT INTO file_proofs (file_id, peer, proven_us) SELECT id, ?, ? FROM files WHERE hash = ?
     ON CONFLICT (file_id, peer) DO UPDATE SET proven_us = excluded.proven_us`,
    peerId,
    provenMicros,
    encodeItemHash(name),
  );
}

function noteStray({ connection }: WriterSession, name: string, sizeBytes: number, dueMicros: bigint): void {
  const bytes = encodeItemHash(name);
  const known = connection.get(
    `SELECT 1 FROM files WHERE hash = ? UNION ALL SELECT 1 FROM files WHERE sha256 = ? AND sha256 <> hash
     UNION ALL SELECT 1 FROM file_shards WHERE is_held = 1 AND (sha256 = ? OR cid = ?) LIMIT 1`,
    bytes,
    bytes,
    bytes,
    bytes,
  );
  if (known !== undefined) return;
  connection.run(
    "INSERT INTO file_deletions (hash, size, due_us) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    bytes,
    sizeBytes,
    dueMicros,
  );
}

function isPinned({ connection }: WriterSession, name: string): boolean {
  const pin = "SELECT 1 FROM files f JOIN pins p ON p.file_id = f.id WHERE f.hash = ? LIMIT 1";
  return connection.get(pin, encodeItemHash(name)) !== undefined;
}

function noteDamage(session: WriterSession, name: string, damage: FileDamage, nowMicros: bigint): void {
  const { connection } = session;
  const bytes = encodeItemHash(name);
  connection.run(
    `INSERT INTO damaged_files (file_id, reason, found_us)
     SELECT id, ?, ? FROM files WHERE hash = ? OR (sha256 = ? AND sha256 <> hash) ON CONFLICT DO NOTHING`,
    FILE_DAMAGES.indexOf(damage),
    nowMicros,
    bytes,
    bytes,
  );
  noteLostShards(session, name, nowMicros);
}
