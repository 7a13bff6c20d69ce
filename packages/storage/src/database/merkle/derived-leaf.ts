import { decodeItemHash, encodeHex, encodeItemHash } from "@twentysix/protocol";
import { splitPairKey } from "@twentysix/state";
import type { SqlConnection } from "../sql/connection.ts";
import type { DerivedKind } from "./dirty.ts";
import { sha256 } from "./leaf.ts";

/** The key of a derived entity in its tree. */
export function derivedKey(kind: DerivedKind, name: string): Uint8Array {
  return sha256(JSON.stringify([kind, name]));
}

/**
 * The digest of what was derived: the version shown of a post that has amends, who wrote each field of an
 * aggregate, where a file tag points, the current version of a VM that has updates.
 *
 * @returns null when there is no such entity, or nothing of it that its message does not say already
 */
export function derivedLeaf(connection: SqlConnection, kind: DerivedKind, name: string): Uint8Array | null {
  const facts = READERS[kind](connection, name);
  return facts === null ? null : sha256(JSON.stringify([kind, name, ...facts]));
}

type Reader = (connection: SqlConnection, name: string) => readonly unknown[] | null;

const text = (hash: Uint8Array): string => decodeItemHash(hash);

const READERS: Readonly<Record<DerivedKind, Reader>> = {
  post(connection, name) {
    const row = connection.get<{ hash: Uint8Array }>(
      `SELECT c.hash FROM items i JOIN posts p ON p.id = i.id JOIN items c ON c.id = p.current_id
       WHERE i.hash = ? AND p.current_id <> p.id`,
      encodeItemHash(name),
    );
    return row === undefined ? null : [text(row.hash)];
  },
  aggregate(connection, name) {
    const [owner = "", key = ""] = splitPairKey(name);
    const rows = connection.all<{ field: string; hash: Uint8Array }>(
      `SELECT f.field, i.hash FROM addresses a JOIN labels l ON l.label = ?
       JOIN aggregate_fields f ON f.owner_id = a.id AND f.key_id = l.id JOIN items i ON i.id = f.item_id
       WHERE a.address = ? ORDER BY f.field`,
      key,
      owner,
    );
    return rows.length === 0 ? null : rows.map((row) => [row.field, encodeHex(row.hash)]);
  },
  tag(connection, name) {
    const row = connection.get<{ owner: string; file: Uint8Array; item: Uint8Array }>(
      `SELECT a.address AS owner, t.file_hash AS file, i.hash AS item FROM file_tags t JOIN addresses a ON a.id = t.owner_id
       JOIN items i ON i.id = t.item_id WHERE t.tag = ?`,
      name,
    );
    return row === undefined ? null : [row.owner, text(row.file), text(row.item)];
  },
  vm(connection, name) {
    const rows = connection.all<{ hash: Uint8Array; created: string }>(
      `SELECT i.hash, CAST(v.created_us AS TEXT) AS created FROM vms v JOIN items i ON i.id = v.id
       WHERE v.original_id = (SELECT id FROM items WHERE hash = ?) ORDER BY v.created_us, i.hash`,
      encodeItemHash(name),
    );
    return rows.length < 2 ? null : rows.map((row) => text(row.hash));
  },
};
