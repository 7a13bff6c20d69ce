import { type JsonObject, type StoredItemType, stringifyJson } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { readObject } from "../http/answer-json.ts";
import { request } from "../http/request.ts";
import { buildMessage } from "../messages/build-message.ts";
import { DEFAULT_CHANNEL } from "../messages/channels.ts";
import type { CreationParameters } from "../messages/create-message.ts";
import { REFUSAL_STATUSES, refusal } from "../messages/refusal.ts";
import type { SignedMessage } from "../messages/signed-message.ts";
import { SYNC_WAIT_MS } from "../messages/submit-message.ts";
import { checkHash, hashFile } from "./file-hash.ts";
import { type FileSource, fileBlob, fileSizeBytes } from "./file-source.ts";
import { uploadPath, uploadTimeoutMs } from "./upload-file.ts";

export interface StoreFileParameters extends CreationParameters {
  readonly file: FileSource;
  /** Node storage (SHA-256) by default, or IPFS (CIDv0). */
  readonly engine?: StoredItemType | undefined;
  /** A name of the owner's for the newest version of a file, or the hash of the STORE message to update. */
  readonly ref?: string | undefined;
  /** At most 16 labels of 1 to 256 characters. */
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: JsonObject | undefined;
  /** How the file is paid. Nodes take a missing one for `hold`. */
  readonly payment?: { readonly chain?: string; readonly type: "hold" | "credit" } | undefined;
  /** By default the connection's bound, a millisecond for each KiB, and with `sync` the node's wait. */
  readonly timeoutMs?: number | undefined;
}

export interface StoredFile {
  /** Of the STORE message. */
  readonly itemHash: string;
  readonly message: SignedMessage;
  /** The name of the file, verified against its bytes. */
  readonly fileHash: string;
  readonly sizeBytes: number;
  readonly status: "pending" | "processed";
}

/**
 * Stores a file for as long as its owner pays: uploads it together with a signed STORE message. The file's
 * name is computed here, signed, and compared with the node's answer.
 *
 * Errors: SDK_HASH_MISMATCH, SDK_REJECTED, SDK_GONE, SDK_NOT_PUBLISHED, SDK_BAD_ANSWER and those of `request`
 * (402 as SDK_HTTP_ERROR: the balance is too low).
 *
 * @example
 * const { fileHash } = await storeFile(connection, {
 *   account, file: new Blob(["hello"]), ref: "greeting", payment: { type: "credit" }, sync: true,
 * });
 */
export async function storeFile(
  connection: Connection,
  parameters: StoreFileParameters,
): Promise<StoredFile> {
  const { file, engine = "storage", sync = false, signal } = parameters;
  const fileHash = await hashFile(connection, { file, engine, signal });
  const message = await buildStoreMessage(connection, parameters, engine, fileHash);
  const answer = await request(connection, {
    method: "POST",
    path: uploadPath(engine),
    body: uploadForm(file, message, sync),
    accept: REFUSAL_STATUSES,
    timeoutMs: parameters.timeoutMs ?? uploadTimeoutMs(connection, file) + (sync ? SYNC_WAIT_MS : 0),
    signal,
  });
  if (answer.status >= 400) throw await refusal(connection, message.item_hash, answer, signal);
  checkHash(fileHash, readObject(connection, answer).text("hash"), "the uploaded file");
  return {
    itemHash: message.item_hash,
    message,
    fileHash,
    sizeBytes: fileSizeBytes(file),
    status: answer.status === 202 ? "pending" : "processed",
  };
}

function buildStoreMessage(
  connection: Connection,
  { account, owner, channel = DEFAULT_CHANNEL, ...parameters }: StoreFileParameters,
  engine: StoredItemType,
  fileHash: string,
): Promise<SignedMessage> {
  const { ref, tags, metadata, payment } = parameters;
  return buildMessage({
    account,
    owner,
    channel,
    type: "STORE",
    content: { item_type: engine, item_hash: fileHash, ref, tags, metadata, payment },
    timeMicros: connection.clock.next(account.timeStepMicros),
  });
}

/** The metadata comes first, so that a node can refuse before it has read the file. */
function uploadForm(file: FileSource, message: SignedMessage, sync: boolean): FormData {
  const form = new FormData();
  form.set("metadata", stringifyJson({ message: { ...message }, sync }));
  form.set("file", fileBlob(file));
  return form;
}
