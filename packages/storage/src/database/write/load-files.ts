import { decodeItemHash, encodeItemHash } from "@twentysix/protocol";
import { type FileFact, type PinFact, splitPairKey, type TagFact, type TagPin } from "@twentysix/state";
import { FILE_TYPES, PIN_CODE } from "../codes.ts";
import { hashOfItem } from "./load-messages.ts";
import type { WriterSession } from "./writer-session.ts";

/** The row id of a file, or null when this node does not hold it. */
export function findFile(session: WriterSession, hash: string): number | null {
  const row = session.connection.get<{ id: number }>(
    "SELECT id FROM files WHERE hash = ?",
    encodeItemHash(hash),
  );
  return row?.id ?? null;
}

export function loadFile(session: WriterSession, hash: string): FileFact | null {
  const row = session.connection.get<{ size: number; type: number }>(
    "SELECT size, type FROM files WHERE hash = ?",
    encodeItemHash(hash),
  );
  return row === undefined ? null : { sizeBytes: row.size, type: FILE_TYPES[row.type] ?? "file" };
}

interface PinRow {
  readonly owner_id: bigint;
  readonly ref: string | null;
  readonly tag: string | null;
  readonly created_us: bigint;
}

/** `key` names the kind, the item and the file. */
export function loadPin(session: WriterSession, key: string): PinFact | null {
  const [kind = "", hash = "", fileHash = ""] = splitPairKey(key);
  const itemId = session.findItem(hash);
  const fileId = findFile(session, fileHash);
  if (itemId === null || fileId === null || (kind !== "message" && kind !== "content")) return null;
  const row = session.connection.getBig<PinRow>(
    "SELECT owner_id, ref, tag, created_us FROM pins WHERE item_id = ? AND kind = ? AND file_id = ?",
    itemId,
    PIN_CODE[kind],
    fileId,
  );
  if (row === undefined) return null;
  return {
    kind,
    fileHash,
    owner: session.addresses.text(Number(row.owner_id)),
    ref: row.ref,
    tag: row.tag,
    createdMicros: row.created_us,
  };
}

/** How many pins keep a file, grace pins left out. */
export function countPins(session: WriterSession, fileHash: string): number {
  const fileId = findFile(session, fileHash);
  if (fileId === null) return 0;
  const row = session.connection.get<{ n: number }>(
    "SELECT count(*) AS n FROM pins WHERE file_id = ? AND kind <> ?",
    fileId,
    PIN_CODE.grace_period,
  );
  return row?.n ?? 0;
}

/** Files that a `content` pin of this item keeps. */
export function loadContentPins(session: WriterSession, hash: string): string[] {
  const itemId = session.findItem(hash);
  if (itemId === null) return [];
  return session.connection
    .all<{ hash: Uint8Array }>(
      "SELECT f.hash FROM pins p CROSS JOIN files f WHERE p.item_id = ? AND p.kind = ? AND f.id = p.file_id",
      itemId,
      PIN_CODE.content,
    )
    .map((row) => decodeItemHash(row.hash));
}

export function loadTag(session: WriterSession, tag: string): TagFact | null {
  const row = session.connection.getBig<{
    owner_id: bigint;
    hash: Uint8Array;
    item_id: bigint;
    updated_us: bigint;
  }>("SELECT owner_id, file_hash AS hash, item_id, updated_us FROM file_tags WHERE tag = ?", tag);
  if (row === undefined) return null;
  return {
    owner: session.addresses.text(Number(row.owner_id)),
    fileHash: decodeItemHash(row.hash),
    hash: hashOfItem(session, Number(row.item_id)),
    timeMicros: row.updated_us,
  };
}

export function loadTagPins(session: WriterSession, tag: string): TagPin[] {
  return session.connection
    .allBig<{ owner_id: bigint; item: Uint8Array; file: Uint8Array; created_us: bigint }>(
      `SELECT p.owner_id, i.hash AS item, f.hash AS file, p.created_us
       FROM pins p JOIN items i ON i.id = p.item_id JOIN files f ON f.id = p.file_id WHERE p.tag = ?`,
      tag,
    )
    .map((row) => ({
      owner: session.addresses.text(Number(row.owner_id)),
      hash: decodeItemHash(row.item),
      fileHash: decodeItemHash(row.file),
      createdMicros: row.created_us,
    }));
}

/** Until when a grace pin keeps a file; null when none does. */
export function loadGrace(session: WriterSession, fileHash: string): bigint | null {
  const fileId = findFile(session, fileHash);
  if (fileId === null) return null;
  const row = session.connection.getBig<{ until: bigint | null }>(
    `SELECT max(delete_by_us) AS until FROM pins WHERE file_id = ? AND kind = ${PIN_CODE.grace_period}`,
    fileId,
  );
  return row?.until ?? null;
}
