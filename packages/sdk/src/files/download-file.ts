import { encodeHex, itemTypeOfHash } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { invalidInput } from "../errors.ts";
import { request } from "../http/request.ts";
import { cidV0OfFile } from "./cid-v0.ts";
import { checkHash } from "./file-hash.ts";

export interface DownloadFileParameters {
  /** Name of the file (not of its STORE message): SHA-256 in hexadecimal, or a CID. */
  readonly fileHash: string;
  /** Longest file that is read into memory; 256 MiB by default. */
  readonly maxBytes?: number | undefined;
  /** Ten minutes by default. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DownloadedFile {
  readonly bytes: Uint8Array;
  /**
   * Whether the bytes were proven to have the name that was asked for. Always true for SHA-256 names. False for
   * a CID that other parameters than the network's usual ones produced (other chunks, CIDv1) and for folders,
   * which arrive as a tar archive.
   */
  readonly isVerified: boolean;
}

const MAX_FILE_BYTES = 256 * 1024 * 1024;
const DOWNLOAD_TIMEOUT_MS = 600_000;

/**
 * Fetches a file and checks it against its name; null when the node does not have it.
 *
 * Errors: SDK_HASH_MISMATCH, SDK_ANSWER_TOO_LARGE, SDK_INVALID_INPUT and those of `request`.
 *
 * @example
 * const file = await downloadFile(connection, { fileHash });
 * if (file !== null) save(new Blob([file.bytes]));
 */
export async function downloadFile(
  connection: Connection,
  { fileHash, maxBytes = MAX_FILE_BYTES, timeoutMs = DOWNLOAD_TIMEOUT_MS, signal }: DownloadFileParameters,
): Promise<DownloadedFile | null> {
  const engine = itemTypeOfHash(fileHash, { anyCidV1: true });
  if (engine === null) {
    throw invalidInput("fileHash", `"${fileHash}" is neither a SHA-256 in lower-case hexadecimal nor a CID`);
  }
  const answer = await request(connection, {
    method: "GET",
    path: `/api/v0/storage/raw/${fileHash}`,
    accept: [404],
    maxBytes,
    timeoutMs,
    signal,
  });
  if (answer.status === 404) return null;
  const { bytes } = answer;
  if (engine === "storage") {
    const hasher = connection.createSha256();
    hasher.update(bytes);
    checkHash(fileHash, encodeHex(hasher.digest()), "the downloaded file");
    return { bytes, isVerified: true };
  }
  return { bytes, isVerified: (await cidV0OfFile(bytes, connection.createSha256, signal)) === fileHash };
}
