import { errorOfCode, isJsonObject, type JsonValue, memberOf, stringifyJson } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { SdkError } from "../errors.ts";
import { httpError, readNodeError } from "../http/node-error.ts";
import type { Answer } from "../http/request.ts";
import { getMessage } from "./get-message.ts";

/** Statuses that say something about a submitted message. */
export const REFUSAL_STATUSES: readonly number[] = [410, 422, 500];

/**
 * What an unsuccessful answer to a submission means, also to one that came with a file: SDK_REJECTED, SDK_GONE,
 * SDK_NOT_PUBLISHED or, when it says nothing about the message, SDK_HTTP_ERROR.
 */
export async function refusal(
  connection: Connection,
  itemHash: string,
  answer: Answer,
  signal: AbortSignal | undefined,
): Promise<SdkError> {
  const nodeError = readNodeError(answer.bytes);
  const member = (key: string): JsonValue =>
    isJsonObject(nodeError.body) ? (memberOf(nodeError.body, key) ?? null) : null;
  if (answer.status === 410) {
    return gone(itemHash, member("message_status") === "removed" ? "removed" : "forgotten");
  }
  if (answer.status === 422) {
    const told = member("error_code") ?? nodeError.code;
    const errorCode = typeof told === "number" ? told : null;
    if (errorCode !== null) return rejected(itemHash, errorCode, member("details"));
    // An upload that was taken, or a message that was: the reason is in the record of the message.
    const isRecorded = member("message_status") === "rejected" || member("hash") !== null;
    if (isRecorded) return rejection(connection, itemHash, signal);
    // A code in words is about the request; so is a text that repeats the status.
    const isOfRequest = typeof nodeError.code === "string" || nodeError.message?.startsWith("422") === true;
    if (isOfRequest) return httpError(answer.url, answer.status, nodeError);
    // Not even recorded: the form of the message is wrong.
    return rejected(itemHash, 0, nodeError.details ?? nodeError.message);
  }
  const publication = member("publication_status");
  if (answer.status === 500 && isJsonObject(publication)) {
    const failed = memberOf(publication, "failed");
    return notPublished(itemHash, Array.isArray(failed) ? failed.map(String) : []);
  }
  return httpError(answer.url, answer.status, nodeError);
}

/** Older nodes say that a message is rejected, but not why; the record of the message says it. */
export async function rejection(
  connection: Connection,
  itemHash: string,
  signal: AbortSignal | undefined,
): Promise<SdkError<"SDK_REJECTED">> {
  const view = await getMessage(connection, { itemHash, signal });
  return view?.status === "rejected"
    ? rejected(itemHash, view.errorCode, view.details)
    : rejected(itemHash, null, null);
}

/** The error of a rejected message, with the protocol's name and text of its code. */
export function rejected(
  itemHash: string,
  errorCode: number | null,
  details: JsonValue,
): SdkError<"SDK_REJECTED"> {
  const known = errorCode === null ? undefined : errorOfCode(errorCode);
  const why = known === undefined ? `error code ${errorCode ?? "unknown"}` : `${known.text} (${errorCode})`;
  const told = details === null ? "" : ` ${stringifyJson(details).slice(0, 500)}`;
  const message = `message ${itemHash} is rejected: ${why}.${told} Correct it and send it as a new message`;
  return new SdkError("SDK_REJECTED", message, {
    itemHash,
    errorCode,
    errorName: known?.name ?? null,
    details,
  });
}

/** The error of a message that no longer exists. */
export function gone(itemHash: string, status: "forgotten" | "removed"): SdkError<"SDK_GONE"> {
  const message = `message ${itemHash} is ${status} and cannot come back; send its content as a new message`;
  return new SdkError("SDK_GONE", message, { itemHash, status });
}

/** The error of a message that reached no network. */
export function notPublished(itemHash: string, failed: readonly string[]): SdkError<"SDK_NOT_PUBLISHED"> {
  const where = failed.length === 0 ? "any network" : failed.join(", ");
  const message = `the node could not publish message ${itemHash} to ${where}; send it to another node`;
  return new SdkError("SDK_NOT_PUBLISHED", message, { itemHash, failed });
}
