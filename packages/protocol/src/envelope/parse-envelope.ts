import { parseContentText } from "../content/complete-content.ts";
import { characterCount } from "../content/scalar-checks.ts";
import { type TypedContent, validateContent } from "../content/validate-content.ts";
import { type ContentSwitches, Validation } from "../content/validation.ts";
import { type Envelope, type ItemType, MESSAGE_TYPES, type MessageType } from "../envelope.ts";
import type { FormatProblem } from "../errors/error-table.ts";
import { invalidFormat, type MessageError, messageError } from "../errors/message-error.ts";
import { itemTypeOfHash } from "../hash/item-hash.ts";
import { type Sha256, sha256OfText } from "../hash/sha256-hash.ts";
import { isJsonObject, type JsonObject, type JsonValue, memberOf } from "../json/json-value.ts";
import { parseJson } from "../json/parse-json.ts";
import { sliceMember } from "../json/slice-json.ts";
import { stringifyJson } from "../json/stringify-json.ts";
import { type PlainFields, readPlainFields } from "./envelope-fields.ts";

/** Longest `item_content` where no network says otherwise, in Unicode code points. */
export const MAX_ITEM_CONTENT_CHARACTERS = 200_000;

export interface EnvelopeOptions {
  /** The message comes out of a smart-contract event: it needs no signature. */
  readonly trusted?: boolean;
  /** SHA-256 of bytes; pass the native one where there is one. */
  readonly sha256?: Sha256;
  readonly switches?: ContentSwitches;
  /** Longest `item_content` of the network, in Unicode code points; MAX_ITEM_CONTENT_CHARACTERS when left out. */
  readonly maxItemContentCharacters?: number;
}

export type EnvelopeResult =
  | {
      readonly ok: true;
      readonly envelope: Envelope;
      /** The decoded content of an inline message, as it was written; null for the others. */
      readonly content: JsonObject | null;
      /** The same content read by its schema; null for messages that are not inline. */
      readonly typed: TypedContent | null;
    }
  | {
      readonly ok: false;
      /** null: the refusal cannot be recorded. */
      readonly itemHash: string | null;
      readonly error: MessageError;
    };

/** The first problem that was found, in the order of the checks. */
type Refused = { readonly problems: readonly FormatProblem[] };

/**
 * Reads an envelope and, when it is inline, its content. The checks come in the order of the network, so every
 * node gives the sender the same error: INVALID_FORMAT for every failure of form, then INVALID_SIGNATURE for a
 * signature that is missing. Whether the signature is good is not looked at.
 *
 * Give the text where there is one: a value alone has lost how its `time` was written.
 *
 * Source: pyaleph `src/aleph/schemas/pending_messages.py`, `src/aleph/schemas/base_messages.py`.
 */
export function parseEnvelope(input: string | JsonValue, options: EnvelopeOptions = {}): EnvelopeResult {
  if (typeof input !== "string") return readEnvelope(input, null, options);
  const parsed = parseJson(input);
  if (!parsed.ok) return refuse(null, [problem("json_invalid", [], `Invalid JSON: ${parsed.reason}`)]);
  return readEnvelope(parsed.value, input, options);
}

function readEnvelope(value: JsonValue, text: string | null, options: EnvelopeOptions): EnvelopeResult {
  if (!isJsonObject(value)) {
    return refuse(null, [problem("model_type", [], "Input should be a valid dictionary or object")]);
  }
  const hash = memberOf(value, "item_hash");
  const itemHash = typeof hash === "string" && hash !== "" ? hash : null;
  const body = readBody(value, options);
  if ("problems" in body) return refuse(itemHash, body.problems);

  const { fields, type, itemContent } = body;
  const inline =
    itemContent === null
      ? checkStoredHash(fields, options.switches ?? {})
      : checkInline(type, fields.itemHash, itemContent, body.content, options);
  if (inline !== null && "problems" in inline) return refuse(itemHash, inline.problems);

  if (options.trusted !== true && (fields.signature ?? "") === "") {
    const error = messageError("INVALID_SIGNATURE", { errors: ["Missing signature"] });
    return { ok: false, itemHash, error };
  }
  const timeText = (text === null ? undefined : sliceMember(text, "time")) ?? stringifyTime(value);
  const envelope: Envelope = { type, ...fields, itemContent, timeText };
  return { ok: true, envelope, content: itemContent === null ? null : body.content, typed: inline };
}

/** Steps 2 to 7: everything but the comparison of hashes and the schema of the content. */
function readBody(
  object: JsonObject,
  { switches = {}, maxItemContentCharacters = MAX_ITEM_CONTENT_CHARACTERS }: EnvelopeOptions,
): Refused | { type: MessageType; fields: PlainFields; itemContent: string | null; content: JsonObject } {
  const type = memberOf(object, "type");
  if (!isMessageType(type)) {
    const known = `Input should be ${MESSAGE_TYPES.map((name) => `'${name}'`).join(", ")}`;
    return refused(type === undefined ? missing("type") : problem("enum", ["type"], known));
  }
  const itemHash = memberOf(object, "item_hash") ?? null;
  if (itemHash === null) return refused(missing("item_hash"));
  const written = memberOf(object, "item_content") ?? null;
  const given = memberOf(object, "item_type") ?? null;
  const itemType = given ?? (written === null ? derivedType(itemHash, switches) : "inline");
  if (itemType === null) return refused(unknownHash());

  const content =
    itemType === "inline" ? readItemContent(written, maxItemContentCharacters) : refuseItemContent(written);
  if (content !== null && "problems" in content) return content;
  const at = new Validation([], switches);
  // An item_type that is not a known one is refused here, whatever the default.
  const fields = readPlainFields(object, itemType as ItemType, at);
  if (fields === null) return { problems: at.problems };
  return { type, fields, itemContent: content?.text ?? null, content: content?.content ?? {} };
}

function readItemContent(
  written: JsonValue,
  maxCharacters: number,
): Refused | { text: string; content: JsonObject } {
  const loc = ["item_content"];
  if (written === null) {
    return refused(problem("value_error", loc, "Value error, item_content is required for inline messages"));
  }
  if (typeof written !== "string") {
    return refused(problem("string_type", loc, "Input should be a valid string"));
  }
  if (written.length > maxCharacters && characterCount(written) > maxCharacters) {
    const limit = `String should have at most ${maxCharacters} characters`;
    return refused(problem("string_too_long", loc, limit));
  }
  const parsed = parseContentText(written);
  if (!parsed.ok) return refused(problem("value_error", loc, `Value error, ${parsed.reason}`));
  return { text: written, content: parsed.content };
}

function refuseItemContent(written: JsonValue): Refused | null {
  if (written === null) return null;
  const reason = "Value error, item_content is for inline messages only";
  return refused(problem("value_error", ["item_content"], reason));
}

/** Step 8. */
function checkInline(
  type: MessageType,
  itemHash: string,
  itemContent: string,
  content: JsonObject,
  { sha256, switches = {} }: EnvelopeOptions,
): Refused | TypedContent {
  const computed = sha256OfText(itemContent, sha256);
  if (computed !== itemHash) {
    const reason = `Value error, item_hash is not the SHA-256 of item_content, which is ${computed}`;
    return refused(problem("value_error", ["item_hash"], reason, itemHash));
  }
  const result = validateContent(type, content, switches);
  return result.ok ? ({ type, content: result.content } as TypedContent) : { problems: result.errors };
}

/** Step 9. */
function checkStoredHash({ itemHash, itemType }: PlainFields, switches: ContentSwitches): Refused | null {
  const actual = itemTypeOfHash(itemHash, switches);
  if (actual === itemType) return null;
  if (actual === null) return refused(unknownHash());
  const reason = `Value error, item_type is '${itemType}' but item_hash is of type '${actual}'`;
  return refused(problem("value_error", ["item_type"], reason, itemType));
}

function derivedType(itemHash: JsonValue, switches: ContentSwitches): ItemType | null {
  return typeof itemHash === "string" ? itemTypeOfHash(itemHash, switches) : null;
}

function isMessageType(value: JsonValue | undefined): value is MessageType {
  return typeof value === "string" && (MESSAGE_TYPES as readonly string[]).includes(value);
}

/** A number read from a value: whether it was a float is still known, its digits are not. */
function stringifyTime(object: JsonObject): string {
  const text = stringifyJson({ time: object.time ?? 0 });
  return text.slice('{"time":'.length, -1);
}

function missing(key: string): FormatProblem {
  return problem("missing", [key], "Field required");
}

function unknownHash(): FormatProblem {
  const shapes = "64 lower-case hexadecimal digits, a Qm… CIDv0 or a bafy… CIDv1";
  return problem("value_error", ["item_hash"], `Value error, item_hash must be ${shapes}`);
}

function problem(
  type: string,
  loc: readonly (string | number)[],
  msg: string,
  input?: string,
): FormatProblem {
  return { type, loc, msg, ...(input !== undefined && input.length <= 256 ? { input } : {}) };
}

function refused(...problems: readonly FormatProblem[]): Refused {
  return { problems };
}

function refuse(itemHash: string | null, problems: readonly FormatProblem[]): EnvelopeResult {
  return { ok: false, itemHash, error: invalidFormat(...problems) };
}
