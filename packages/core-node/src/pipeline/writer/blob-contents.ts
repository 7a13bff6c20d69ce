import { hash as digest } from "node:crypto";
import { readFile } from "node:fs/promises";
import { decodeUtf8, encodeHex, encodeItemHash, type NetworkLimits } from "@twentysix/protocol";
import { blobFilePath, type SqlConnection } from "@twentysix/storage/writer";
import type { ContentSource } from "./resolve-content.ts";

/** The bytes of a file by its SHA-256; null when they cannot be had now. */
export type ReadBlob = (
  sha256: string,
  sizeBytes: number,
  signal?: AbortSignal,
) => Promise<Uint8Array | null>;

/** Files read before their turn, and their bytes together. */
const MAX_AHEAD = 64;
const MAX_AHEAD_BYTES = 8 * 1024 * 1024;

interface FileRow {
  readonly sha256: Uint8Array;
  readonly size: number;
}

/**
 * Contents out of the files of this node, held against the SHA-256 that was recorded when they came in.
 * A content must be smaller than `storedContentBytes`. Source: pyaleph `src/aleph/services/ipfs/service.py`.
 */
export function createBlobContents(
  connection: SqlConnection,
  readBlob: ReadBlob,
  { storedContentBytes }: Pick<NetworkLimits, "storedContentBytes">,
): ContentSource {
  const find = (itemHash: string): FileRow | null => {
    const row = connection.get<{ sha256: Uint8Array | null; size: number }>(
      "SELECT sha256, size FROM files WHERE hash = ?",
      encodeItemHash(itemHash),
    );
    const { sha256 = null, size = 0 } = row ?? {};
    return sha256 === null || size >= storedContentBytes ? null : { sha256, size };
  };
  let ahead = new Map<string, Promise<Uint8Array | null>>();
  const start = ({ sha256, size }: FileRow): Promise<Uint8Array | null> => readBlob(encodeHex(sha256), size);
  return {
    ahead(itemHashes) {
      ahead = new Map();
      let bytes = 0;
      for (const itemHash of itemHashes) {
        if (ahead.size >= MAX_AHEAD) return;
        const row = find(itemHash);
        if (row === null || ahead.has(itemHash) || bytes + row.size > MAX_AHEAD_BYTES) continue;
        bytes += row.size;
        const reading = start(row);
        reading.catch(() => undefined); // Whoever reads it hears of the failure.
        ahead.set(itemHash, reading);
      }
    },
    async read(itemHash) {
      const row = find(itemHash);
      if (row === null) return null;
      const bytes = await (ahead.get(itemHash) ?? start(row));
      ahead.delete(itemHash);
      if (bytes === null || !digest("sha256", bytes, "buffer").equals(row.sha256)) return null;
      return decodeUtf8(bytes) ?? "";
    },
  };
}

/** Reads from the folder that holds the files by SHA-256. */
export function blobsInFolder(folder: string): ReadBlob {
  return async (sha256) => {
    try {
      return await readFile(blobFilePath(folder, sha256));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw error;
    }
  };
}
