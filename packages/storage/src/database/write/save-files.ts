import { encodeItemHash } from "@twentysix/protocol";
import { type Change, type PinFact, splitPairKey, type TagFact } from "@twentysix/state";
import { PIN_CODE } from "../codes.ts";
import { findFile } from "./load-files.ts";
import type { WriterSession } from "./writer-session.ts";

/** Writes a pin of a message; `key` names the kind, the item and the file. */
export function savePin(session: WriterSession, change: Change<PinFact>): void {
  const [kind = "", hash = "", fileHash = ""] = splitPairKey(change.key);
  const itemId = session.itemId(hash);
  const fileId = findFile(session, fileHash);
  if (fileId === null) {
    // The content of a message may be known where its file is gone: it was forgotten in between. See `registerFile`.
    if (kind === "content") return;
    throw new Error(`A pin refers to file ${fileHash}, which has no row`);
  }
  const code = kind === "message" ? PIN_CODE.message : PIN_CODE.content;
  countPin(session, change.before, fileId, -1);
  countPin(session, change.after, fileId, 1);
  if (change.after === null) {
    session.connection.run(
      "DELETE FROM pins WHERE item_id = ? AND kind = ? AND file_id = ?",
      itemId,
      code,
      fileId,
    );
    return;
  }
  const pin = change.after;
  session.connection.run(
    `INSERT INTO pins (file_id, kind, item_id, owner_id, ref, tag, created_us) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (item_id, kind, file_id) WHERE item_id IS NOT NULL DO UPDATE SET owner_id = excluded.owner_id,
       ref = excluded.ref, tag = excluded.tag, created_us = excluded.created_us`,
    fileId,
    code,
    itemId,
    session.addresses.intern(pin.owner),
    pin.ref,
    pin.tag,
    pin.createdMicros,
  );
}

function countPin(session: WriterSession, pin: PinFact | null, fileId: number, n: number): void {
  if (pin === null) return;
  session.counters.add("pins", PIN_CODE[pin.kind], 0, n);
  if (pin.kind !== "message") return;
  const owner = session.addresses.intern(pin.owner);
  session.counters.add("ownerFiles", owner, 0, n);
  session.counters.add("ownerFileBytes", owner, 0, n * sizeOfFile(session, fileId));
}

const sizeOfFile = (session: WriterSession, fileId: number): number =>
  session.connection.get<{ size: number }>("SELECT size FROM files WHERE id = ?", fileId)?.size ?? 0;

/** Stands for a file that went with a message that was removed. */
const GONE_FILE = 0;

export function saveTag(session: WriterSession, change: Change<TagFact>): void {
  session.dirty.note("tag", change.key);
  const tag = change.after;
  if (tag === null) {
    session.connection.run("DELETE FROM file_tags WHERE tag = ?", change.key);
    return;
  }
  const fileId = findFile(session, tag.fileHash);
  session.connection.run(
    change.before === null
      ? "INSERT INTO file_tags (owner_id, file_id, file_hash, item_id, updated_us, tag) VALUES (?, ?, ?, ?, ?, ?)"
      : "UPDATE file_tags SET owner_id = ?, file_id = ?, file_hash = ?, item_id = ?, updated_us = ? WHERE tag = ?",
    session.addresses.intern(tag.owner),
    fileId ?? GONE_FILE,
    encodeItemHash(tag.fileHash),
    session.itemId(tag.hash),
    tag.timeMicros,
    change.key,
  );
}

/** Adds a grace pin; pins add up and the longest wins, so none is ever shortened. */
export function addGracePin(
  session: WriterSession,
  fileHash: string,
  nowMicros: bigint,
  untilMicros: bigint,
): void {
  const fileId = findFile(session, fileHash);
  if (fileId === null) return;
  const known = session.connection.getBig<{ id: bigint; delete_by_us: bigint }>(
    `SELECT id, delete_by_us FROM pins WHERE file_id = ? AND kind = ${PIN_CODE.grace_period}`,
    fileId,
  );
  if (known === undefined) {
    countGrace(session, fileId, 1);
    session.connection.run(
      "INSERT INTO pins (file_id, kind, created_us, delete_by_us) VALUES (?, ?, ?, ?)",
      fileId,
      PIN_CODE.grace_period,
      nowMicros,
      untilMicros,
    );
  } else if (known.delete_by_us < untilMicros) {
    session.connection.run("UPDATE pins SET delete_by_us = ? WHERE id = ?", untilMicros, known.id);
  }
}

/** Ends the grace of a file that a message now keeps. */
export function dropGracePin(session: WriterSession, fileHash: string): void {
  const fileId = findFile(session, fileHash);
  if (fileId === null) return;
  const { changes } = session.connection.run(
    `DELETE FROM pins WHERE file_id = ? AND kind = ${PIN_CODE.grace_period}`,
    fileId,
  );
  countGrace(session, fileId, -changes);
}

/** Counts grace pins that come or go, with the bytes that they keep. */
export function countGrace(session: WriterSession, fileId: number, n: number): void {
  if (n === 0) return;
  session.counters.add("pins", PIN_CODE.grace_period, 0, n);
  session.counters.add("graceBytes", 0, 0, n * sizeOfFile(session, fileId));
}

/** Keeps the counted bytes in step with a file whose size turns out to be another. */
export function recountFile(session: WriterSession, fileId: number, addedBytes: number): void {
  const pins = session.connection.all<{ kind: number; owner_id: number | null; n: number }>(
    `SELECT kind, owner_id, count(*) AS n FROM pins WHERE file_id = ?
       AND (item_id IS NULL OR item_id NOT IN (SELECT id FROM removals)) GROUP BY kind, owner_id`,
    fileId,
  );
  for (const { kind, owner_id: owner, n } of pins) {
    if (kind === PIN_CODE.message && owner !== null)
      session.counters.add("ownerFileBytes", owner, 0, n * addedBytes);
    if (kind === PIN_CODE.grace_period) session.counters.add("graceBytes", 0, 0, n * addedBytes);
  }
}
