import {
  isItemHash,
  isJsonObject,
  type JsonObject,
  memberOf,
  parseJson,
  sliceMember,
} from "@twentysix/protocol";
import type { ChainPayloadKind } from "@twentysix/storage";

/** What an anchor says, or why nothing can be made of it. */
export type SyncPayload =
  | { readonly kind: Exclude<ChainPayloadKind, "message">; readonly payload: string; readonly error: null }
  | { readonly kind: null; readonly payload: string; readonly error: string };

const MAX_UNREADABLE_CHARACTERS = 2_000;

/** The text of an archive as a chain carries it: compact, keys in this order. */
export function archivePayload(archive: string): string {
  return JSON.stringify({ protocol: "aleph-offchain", version: 1, content: archive });
}

/** What is kept of a transaction of which nothing can be made: it holds up none of those after it. */
export function unreadablePayload(transaction: unknown, error: string): SyncPayload {
  return {
    kind: null,
    payload: (JSON.stringify(transaction) ?? "").slice(0, MAX_UNREADABLE_CHARACTERS),
    error,
  };
}

/**
 * Reads the text of a sync event or of the data of a transaction: a file with messages (`aleph-offchain`), or messages
 * themselves (`aleph`). Source: pyaleph `src/aleph/schemas/chains/sync_events.py`.
 */
export function readSyncPayload(text: string): SyncPayload {
  const refuse = (error: string): SyncPayload => ({ kind: null, payload: text, error });
  const parsed = parseJson(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return refuse("it is no JSON object");
  const object = parsed.value;
  const protocol = memberOf(object, "protocol");
  if (!isVersionOne(object)) return refuse("its version is not known");
  const content = memberOf(object, "content");
  if (protocol === "aleph-offchain") {
    if (typeof content !== "string" || !isItemHash(content)) return refuse("its content names no file");
    return { kind: "archive", payload: content, error: null };
  }
  if (protocol !== "aleph") return refuse("its protocol is not known");
  if (content === undefined || !isJsonObject(content) || !Array.isArray(memberOf(content, "messages"))) {
    return refuse("its content has no messages");
  }
  const inner = sliceMember(text, "content") ?? "";
  return { kind: "messages", payload: `{"content":${inner}}`, error: null };
}

const isVersionOne = (object: JsonObject): boolean => String(memberOf(object, "version")) === "1";
