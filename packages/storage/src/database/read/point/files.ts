import { decodeItemHash, encodeHex, encodeItemHash, isItemHash } from "@twentysix/protocol";
import { FILE_TYPES, PIN_CODE } from "../../codes.ts";
import type { SqlConnection } from "../../sql/connection.ts";
import { idOfHash } from "../item-ids.ts";
import { unknownCode } from "../message/message-rows.ts";
import type { FileReferenceView, FileView } from "../types.ts";

const FILE = "SELECT hash, size, type, sha256, cid FROM files WHERE hash = ?";
const PINS =
  "SELECT count(*) AS n FROM files AS f CROSS JOIN pins AS p WHERE f.hash = ? AND p.file_id = f.id";
const OF_MESSAGE = `SELECT p.ref, o.address, f.hash, f.size FROM pins AS p CROSS JOIN files AS f CROSS JOIN addresses AS o
  WHERE p.item_id = ? AND p.kind = ${PIN_CODE.message} AND f.id = p.file_id AND o.id = p.owner_id
  AND NOT EXISTS (SELECT 1 FROM removals AS r WHERE r.id = p.item_id) LIMIT 1`;
/** What a tag says, as long as its message is live: it stays when the message is removed, and so does nobody's file. */
const OF_TAG = `SELECT o.address, f.hash, f.size FROM file_tags AS t CROSS JOIN files AS f CROSS JOIN addresses AS o
  WHERE t.tag = ? AND f.hash = t.file_hash AND o.id = t.owner_id
  AND EXISTS (SELECT 1 FROM pins AS p WHERE p.item_id = t.item_id AND p.kind = ${PIN_CODE.message})
  AND NOT EXISTS (SELECT 1 FROM removals AS r WHERE r.id = t.item_id)`;
/** Else the newest version that is left. */
const LEFT_OF_TAG = `SELECT o.address, f.hash, f.size
  FROM pins AS p CROSS JOIN files AS f CROSS JOIN addresses AS o CROSS JOIN items AS i
  WHERE p.tag = ? AND p.kind = ${PIN_CODE.message} AND f.id = p.file_id AND o.id = p.owner_id AND i.id = p.item_id
  AND NOT EXISTS (SELECT 1 FROM removals AS r WHERE r.id = p.item_id) ORDER BY p.created_us DESC, i.hash DESC LIMIT 1`;

interface TaggedRow {
  readonly address: string;
  readonly hash: Uint8Array;
  readonly size: number;
}

/** Names of files may have any of the forms of item hashes; texts that are too long for one name nothing. */
const MAX_HASH_CHARACTERS = 128;

export function fileOfHash(connection: SqlConnection, fileHash: string): FileView | null {
  if (fileHash.length > MAX_HASH_CHARACTERS) return null;
  const row = connection.get<{
    hash: Uint8Array;
    size: number;
    type: number;
    sha256: Uint8Array | null;
    cid: Uint8Array | null;
  }>(FILE, encodeItemHash(fileHash));
  if (row === undefined) return null;
  return {
    fileHash,
    type: FILE_TYPES[row.type] ?? unknownCode("file type", row.type),
    sizeBytes: row.size,
    sha256: row.sha256 === null ? null : encodeHex(row.sha256),
    cid: row.cid === null ? null : decodeItemHash(row.cid),
  };
}

/** Pins of every kind. */
export function pinCountOf(connection: SqlConnection, fileHash: string): number {
  if (fileHash.length > MAX_HASH_CHARACTERS) return 0;
  return connection.get<{ n: number }>(PINS, encodeItemHash(fileHash))?.n ?? 0;
}

/** The file that a STORE message keeps; null while it is about to be removed, although its pin still stands. */
export function fileOfMessage(connection: SqlConnection, itemHash: string): FileReferenceView | null {
  const itemId = idOfHash(connection, itemHash);
  if (itemId === null) return null;
  const row = connection.get<{ ref: string | null; address: string; hash: Uint8Array; size: number }>(
    OF_MESSAGE,
    itemId,
  );
  if (row === undefined) return null;
  return {
    ref: row.ref ?? itemHash,
    owner: row.address,
    fileHash: decodeItemHash(row.hash),
    sizeBytes: row.size,
  };
}

/** The newest version under a name: an item hash names the same file for everybody, any other ref is its owner's. */
export function fileOfRef(
  connection: SqlConnection,
  ref: string,
  address: string | null,
): FileReferenceView | null {
  for (const tag of tagsOf(ref, address)) {
    const row = connection.get<TaggedRow>(OF_TAG, tag) ?? connection.get<TaggedRow>(LEFT_OF_TAG, tag);
    if (row === undefined) continue;
    return { ref, owner: row.address, fileHash: decodeItemHash(row.hash), sizeBytes: row.size };
  }
  return null;
}

/** A CID of an unusual kind is an item hash on one network and a name like any other on the next. */
function tagsOf(ref: string, address: string | null): string[] {
  const ofAll = isItemHash(ref, { anyCidV1: true }) ? [ref] : [];
  const ofOwner = address === null || isItemHash(ref) ? [] : [`${address}/${ref}`];
  return [...ofAll, ...ofOwner];
}
