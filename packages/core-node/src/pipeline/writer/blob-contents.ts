import { hash as digest } from "node:crypto";
import { readFile } from "node:fs/promises";
import { decodeUtf8, encodeHex, encodeItemHash, type NetworkLimits } from "@twentysix/protocol";
import { blobFilePath, type SqlConnection } from "@twentysix/storage/writer";
import type { ContentSource } from "./resolve-content.ts";

/**
 * Contents out of the blob folder of this node, held against the SHA-256 that was recorded when they came in.
 * A content must be smaller than `storedContentBytes`. Source: pyaleph `src/aleph/services/ipfs/service.py`.
 */
export function createBlobContents(
  connection: SqlConnection,
  blobsPath: string,
  { storedContentBytes }: Pick<NetworkLimits, "storedContentBytes">,
): ContentSource {
  return {
    async read(itemHash) {
      const row = connection.get<{ sha256: Uint8Array | null; size: number }>(
        "SELECT sha256, size FROM files WHERE hash = ?",
        encodeItemHash(itemHash),
      );
      if (row === undefined || row.sha256 === null || row.size >= storedContentBytes) return null;
      const bytes = await readBlob(blobFilePath(blobsPath, encodeHex(row.sha256)));
      if (bytes === null || !digest("sha256", bytes, "buffer").equals(row.sha256)) return null;
      return decodeUtf8(bytes) ?? "";
    },
  };
}

async function readBlob(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
