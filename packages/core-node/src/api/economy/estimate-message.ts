import { hash } from "node:crypto";
import {
  completeContent,
  isItemHash,
  isJsonObject,
  itemTypeOfHash,
  type JsonObject,
  type JsonValue,
  memberOf,
  parseContentText,
} from "@twentysix/protocol";
import { isPaidKind, type PaidKind } from "@twentysix/state";
import { ApiError } from "../errors.ts";
import { MAX_CONTENT_BYTES, readHeldContent } from "../explanations/held-content.ts";
import type { ValidationProblem } from "../query/validation-problem.ts";
import type { ApiServices } from "../services.ts";

/** A message that is to be priced: not signed, and without most of its envelope. */
export interface EstimateMessage {
  readonly type: PaidKind;
  readonly itemHash: string;
  readonly content: JsonObject;
}

type Reading =
  | { readonly ok: true; readonly message: EstimateMessage }
  | { readonly ok: false; readonly problems: readonly ValidationProblem[] };

/**
 * @param signal made when a content has to be read that is not inline
 * @throws ApiError API_CONTENT_UNAVAILABLE when this node does not hold the content
 */
export async function readEstimateMessage(
  body: JsonObject,
  services: Pick<ApiServices, "reads" | "downloads">,
  signal: () => AbortSignal,
): Promise<Reading> {
  const message = memberOf(body, "message");
  if (!isJsonObject(message)) {
    return message === undefined
      ? bad("missing", [], "Field required")
      : bad("model_type", [], "Input should be a valid dictionary or object");
  }
  const type = memberOf(message, "type");
  if (typeof type !== "string" || !isPaidKind(type))
    return bad("enum", ["type"], "Input should be 'STORE', 'PROGRAM', 'INSTANCE' or 'V-PROGRAM'", type);
  const itemHash = memberOf(message, "item_hash");
  if (typeof itemHash !== "string" || !isItemHash(itemHash, { anyCidV1: true }))
    return bad("value_error", ["item_hash"], "Value error, item_hash is not an item hash", itemHash);
  const text = memberOf(message, "item_content") ?? null;
  const itemType =
    memberOf(message, "item_type") ?? (text === null ? itemTypeOfHash(itemHash, {}) : "inline");
  if (itemType !== "inline" && itemType !== "storage" && itemType !== "ipfs")
    return bad("enum", ["item_type"], "Input should be 'inline', 'storage' or 'ipfs'", itemType);
  const content =
    itemType === "inline"
      ? readInline(itemHash, text)
      : completed(await storedText(itemHash, services, signal()), message);
  if (!content.ok) return bad("value_error", [content.at], `Value error, ${content.reason}`);
  return { ok: true, message: { type, itemHash, content: content.content } };
}

type ContentReading =
  | { readonly ok: true; readonly content: JsonObject }
  | { readonly ok: false; readonly at: string; readonly reason: string };

function readInline(itemHash: string, text: JsonValue): ContentReading {
  if (typeof text !== "string")
    return { ok: false, at: "item_content", reason: "item_content is required for inline messages" };
  const computed = hash("sha256", text, "hex");
  if (computed !== itemHash) {
    const reason = `item_hash is not the SHA-256 of item_content, which is ${computed}`;
    return { ok: false, at: "item_hash", reason };
  }
  const parsed = parseContentText(text);
  return parsed.ok ? parsed : { ...parsed, at: "item_content" };
}

function completed(text: string, message: JsonObject): ContentReading {
  const sender = memberOf(message, "sender");
  const result = completeContent(text, { sender: typeof sender === "string" ? sender : "", timeText: "0" });
  return result.ok ? result : { ...result, at: "item_hash" };
}

async function storedText(
  itemHash: string,
  { reads, downloads }: Pick<ApiServices, "reads" | "downloads">,
  signal: AbortSignal,
): Promise<string> {
  const held = await reads.rawMessage(itemHash);
  if (held !== null && held.content !== null) return held.content;
  const file = await readHeldContent(itemHash, downloads, signal);
  if (file.kind === "text") return file.text;
  if (file.kind === "tooLarge")
    throw new ApiError("API_UNPROCESSABLE", `422: the content is larger than ${MAX_CONTENT_BYTES} bytes`);
  throw new ApiError(
    "API_CONTENT_UNAVAILABLE",
    `409: this node does not hold the content ${itemHash}: upload it first, or send it inline`,
  );
}

function bad(type: string, at: readonly string[], msg: string, input: JsonValue = null): Reading {
  const echoed = typeof input === "string" ? input.slice(0, 200) : null;
  return { ok: false, problems: [{ type, loc: ["message", ...at], msg, input: echoed }] };
}
