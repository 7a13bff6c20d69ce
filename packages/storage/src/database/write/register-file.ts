import { encodeItemHash, ITEM_TYPES } from "@twentysix/protocol";
import { FILE_TYPE_CODE, type FileType, PIN_CODE } from "../codes.ts";
import { recountFile } from "./save-files.ts";
import type { WriterSession } from "./writer-session.ts";

/** A file that this node now holds. */
export interface HeldFile {
  /** The name by which messages call it. */
  readonly hash: string;
  readonly sizeBytes: number;
  readonly type: FileType;
  /** Its two fixed names, when they are known: SHA-256 and CID of fixed parameters. */
  readonly sha256: Uint8Array | null;
  readonly cid: Uint8Array | null;
}

/**
 * Records a held file, or refreshes what is known of it: one CID can be held as the bytes of a file and as blocks,
 * which count differently. Its bytes are here and whole: a deletion that was pending is called off and a damage
 * mended.
 */
export function registerFile(session: WriterSession, file: HeldFile): void {
  const { connection, counters } = session;
  const hash = encodeItemHash(file.hash);
  const known = connection.get<{ id: number; size: number }>(
    "SELECT id, size FROM files WHERE hash = ?",
    hash,
  );
  if (known !== undefined && known.size !== file.sizeBytes)
    recountFile(session, known.id, file.sizeBytes - known.size);
  connection.run(
    `INSERT INTO files (hash, size, type, sha256, cid) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (hash) DO UPDATE SET size = excluded.size, type = excluded.type,
       sha256 = coalesce(excluded.sha256, files.sha256), cid = coalesce(excluded.cid, files.cid)`,
    hash,
    file.sizeBytes,
    FILE_TYPE_CODE[file.type],
    file.sha256,
    file.cid,
  );
  connection.run("DELETE FROM file_deletions WHERE hash = ?", hash);
  connection.run("DELETE FROM damaged_files WHERE file_id = (SELECT id FROM files WHERE hash = ?)", hash);
  const { changes } = connection.run(
    `INSERT INTO pins (file_id, kind, item_id, owner_id, created_us)
     SELECT f.id, ${PIN_CODE.content}, m.id, m.sender_id, m.content_time_us
     FROM items i CROSS JOIN messages m CROSS JOIN files f
     WHERE i.hash = ? AND m.id = i.id AND m.item_type <> ${ITEM_TYPES.indexOf("inline")} AND f.hash = i.hash
     ON CONFLICT DO NOTHING`,
    hash,
  );
  if (changes > 0) counters.add("pins", PIN_CODE.content, 0, Number(changes));
}
