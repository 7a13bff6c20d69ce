import type { StoredItemType } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { readObject } from "../http/answer-json.ts";
import { request } from "../http/request.ts";
import { checkHash, hashFile } from "./file-hash.ts";
import { type FileSource, fileBlob, fileSizeBytes } from "./file-source.ts";

export interface UploadFileParameters {
  readonly file: FileSource;
  /** Node storage (SHA-256) by default, or IPFS (CIDv0). */
  readonly engine?: StoredItemType | undefined;
  /** By default the connection's bound and a millisecond for each KiB. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface UploadedFile {
  /** Verified: computed from the bytes and equal to what the node answered. */
  readonly itemHash: string;
  readonly engine: StoredItemType;
  readonly sizeBytes: number;
}

/**
 * Stores a file without a message: 25 MiB at most, and the node deletes it after about a day unless a message
 * refers to it. To keep a file use `storeFile`.
 *
 * Errors: SDK_HASH_MISMATCH, SDK_BAD_ANSWER and those of `request`.
 *
 * @example
 * const { itemHash } = await uploadFile(connection, { file: new Blob(["hello"]) });
 */
export async function uploadFile(
  connection: Connection,
  { file, engine = "storage", timeoutMs, signal }: UploadFileParameters,
): Promise<UploadedFile> {
  const itemHash = await hashFile(connection, { file, engine, signal });
  const form = new FormData();
  form.set("file", fileBlob(file));
  const answer = await request(connection, {
    method: "POST",
    path: uploadPath(engine),
    body: form,
    timeoutMs: timeoutMs ?? uploadTimeoutMs(connection, file),
    signal,
  });
  checkHash(itemHash, readObject(connection, answer).text("hash"), "the uploaded file");
  return { itemHash, engine, sizeBytes: fileSizeBytes(file) };
}

export function uploadPath(engine: StoredItemType): string {
  return `/api/v0/${engine}/add_file`;
}

/** Allows for a slow line: one MiB a second. */
export function uploadTimeoutMs({ timeoutMs }: Pick<Connection, "timeoutMs">, file: FileSource): number {
  return timeoutMs + Math.ceil(fileSizeBytes(file) / 1024);
}
