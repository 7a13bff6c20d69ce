import { createHash } from "node:crypto";
import {
  completeContent,
  formatTime,
  isChain,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  MESSAGE_TYPES,
  memberOf,
  microsOfSeconds,
  parseContentText,
  sliceMember,
} from "@twentysix/protocol";
import type { InquiredMessage } from "../../ledger/ledger-inquiry.ts";
import { ApiError } from "../errors.ts";

export interface QuotedMessage {
  readonly message: InquiredMessage;
  /** Of the content as it was given: the same text is quoted under the same name, whenever it is asked for. */
  readonly contentHash: string;
}

/**
 * Reads the message that a quote is asked for. It need be neither signed nor complete: what it costs depends on its
 * type and its content.
 *
 * @throws ApiError API_UNPROCESSABLE
 */
export function readQuotedMessage(body: JsonObject, text: string, nowMicros: bigint): QuotedMessage {
  const message = memberOf(body, "message");
  if (message === undefined || !isJsonObject(message)) throw refuseQuote("message must be an object");
  const type = MESSAGE_TYPES.find((known) => known === memberOf(message, "type"));
  if (type === undefined) throw refuseQuote("message.type is not a type of message");
  const given = contentOf(message, text);
  const content = parseContentText(given);
  if (!content.ok) throw refuseQuote(content.reason);
  const sender = memberOf(message, "sender") ?? memberOf(content.content, "address");
  if (typeof sender !== "string") throw refuseQuote("content.address must say whose message it is");
  const timeMicros = timeOf(memberOf(message, "time"), nowMicros);
  const completed = completeContent(given, { sender, timeText: formatTime(timeMicros) });
  if (!completed.ok) throw refuseQuote(completed.reason);
  const chain = memberOf(message, "chain");
  const size = memberOf(body, "estimated_size");
  const inquired: InquiredMessage = {
    type,
    sender,
    chain: typeof chain === "string" && isChain(chain) ? chain : "ETH",
    contentText: completed.text,
    timeMicros,
    fileSizeBytes: typeof size === "number" && Number.isSafeInteger(size) && size >= 0 ? size : null,
    priceList: null,
    gates: "message",
  };
  return { message: inquired, contentHash: createHash("sha256").update(given).digest("hex") };
}

/** The exact text where there is one: numbers stay as they were written. */
function contentOf(message: JsonObject, text: string): string {
  const itemContent = memberOf(message, "item_content");
  if (typeof itemContent === "string") return itemContent;
  const content = sliceMember(sliceMember(text, "message") ?? "{}", "content");
  if (content === undefined) throw refuseQuote("message needs item_content or content");
  return content;
}

function timeOf(time: JsonValue | undefined, nowMicros: bigint): bigint {
  return typeof time === "number" && time >= 0 && time < 1e11 ? microsOfSeconds(time) : nowMicros;
}

export const refuseQuote = (reason: string): ApiError => new ApiError("API_UNPROCESSABLE", `422: ${reason}`);
