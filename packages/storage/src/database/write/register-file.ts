import { encodeItemHash } from "@twentysix/protocol";
import { FILE_TYPE_CODE, type FileType } from "../codes.ts";
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

/** Records a held file, or refreshes what is known of it. */
export function registerFile(session: WriterSession, file: HeldFile): void {
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
