import { decodeItemHash, MESSAGE_TYPES } from "@twentysix/protocol";
import { type Change, splitPairKey, type Version } from "@twentysix/state";
import type { WriterSession } from "./writer-session.ts";

interface VersionRow {
  readonly hash: Uint8Array;
  readonly time_us: bigint;
}

const versionOf = (row: VersionRow): Version => ({
  hash: decodeItemHash(row.hash),
  timeMicros: row.time_us,
});

/** The FORGETs that stand over an aggregate, null when there is none. */
export function loadTombstones(session: WriterSession, pair: string): Version[] | null {
  const [owner = "", key = ""] = splitPairKey(pair);
  const ownerId = session.addresses.find(owner);
  const keyId = session.labels.find(key);
  if (ownerId === null || keyId === null) return null;
  const rows = session.connection.allBig<VersionRow>(
    `SELECT i.hash, t.time_us FROM aggregate_tombstones t JOIN items i ON i.id = t.forget_id
     WHERE t.owner_id = ? AND t.key_id = ?`,
    ownerId,
    keyId,
  );
  return rows.length === 0 ? null : rows.map(versionOf);
}

/** Elements of an aggregate that are forgotten. */
export function loadForgottenElements(session: WriterSession, pair: string): Version[] {
  const [owner = "", key = ""] = splitPairKey(pair);
  const ownerId = session.addresses.find(owner);
  const keyId = session.labels.find(key);
  if (ownerId === null || keyId === null) return [];
  return session.connection
    .allBig<VersionRow>(
      `SELECT i.hash, f.content_time_us AS time_us FROM forgotten f JOIN items i ON i.id = f.id
       WHERE f.owner_id = ? AND f.label_id = ? AND f.type = ${MESSAGE_TYPES.indexOf("AGGREGATE")}`,
      ownerId,
      keyId,
    )
    .map(versionOf);
}

/** Writes which FORGETs stand over an aggregate. */
export function saveTombstones(session: WriterSession, change: Change<readonly Version[]>): void {
  const [owner = "", key = ""] = splitPairKey(change.key);
  const ownerId = session.addresses.intern(owner);
  const keyId = session.labels.intern(key);
  session.connection.run(
    "DELETE FROM aggregate_tombstones WHERE owner_id = ? AND key_id = ?",
    ownerId,
    keyId,
  );
  for (const { hash, timeMicros } of change.after ?? []) {
    session.connection.run(
      "INSERT INTO aggregate_tombstones (owner_id, key_id, forget_id, time_us) VALUES (?, ?, ?, ?)",
      ownerId,
      keyId,
      session.itemId(hash),
      timeMicros,
    );
  }
}
