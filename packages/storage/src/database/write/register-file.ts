import { encodeItemHash } from "@twentysix/protocol";
import { FILE_TYPE_CODE, type FileType } from "../codes.ts";
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
 * Records a held file, or refreshes what is known of it. One CID can be held as the bytes of a file and as blocks,
 * which count differently.
 */
export function registerFile(session: WriterSession, file: HeldFile): void {
  const known = session.connection.get<{ id: number; size: number }>(
    "SELECT id, size FROM files WHERE hash = ?",
    encodeItemHash(file.hash),
  );
  if (known !== undefined && known.size !== file.sizeBytes)
    recountFile(session, known.id, file.sizeBytes - known.size);
  session.connection.run(
    `INSERT INTO files (hash, size, type, sha256, cid) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (hash) DO UPDATE SET size = excluded.size, type = excluded.type,
       sha256 = coalesce(excluded.sha256, sha256), cid = coalesce(excluded.cid, cid)`,
    encodeItemHash(file.hash),
    file.sizeBytes,
    FILE_TYPE_CODE[file.type],
    file.sha256,
    file.cid,
  );
}
