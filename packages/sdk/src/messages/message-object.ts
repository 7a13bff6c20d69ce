import { type JsonObject, type JsonValue, memberOf } from "@twentysix/protocol";
import type { AnswerObject } from "../http/answer-json.ts";

export interface Confirmation {
  readonly chain: string;
  readonly height: number;
  readonly hash: string;
}

/**
 * A processed message as nodes serve it, with the keys of the wire. Nothing in it is proven: see
 * `verifyMessage`.
 *
 * Source: pyaleph `src/aleph/schemas/api/messages.py`.
 */
export interface MessageObject {
  /** One of the protocol's message types; text, since a network may learn new ones. */
  readonly type: string;
  readonly chain: string;
  readonly sender: string;
  /** null in messages of contracts and in those of a time before signatures were enforced. */
  readonly signature: string | null;
  readonly item_type: string;
  readonly item_content: string | null;
  readonly item_hash: string;
  /** Unix seconds. */
  readonly time: number;
  readonly channel: string | null;
  /** Missing when the query leaves it out. */
  readonly content?: JsonObject;
  /** Length of the raw content; missing in the answer for one message and in live frames. */
  readonly size?: number;
  readonly confirmed?: boolean;
  readonly confirmations?: readonly Confirmation[];
}

/** Checks the members that every message has; the rest is served as it came. */
export function readMessageObject(message: AnswerObject): MessageObject {
  for (const key of ["type", "chain", "sender", "item_type", "item_hash"]) message.text(key);
  for (const key of ["signature", "item_content", "channel"]) message.textOrNull(key);
  message.number("time");
  if (memberOf(message.value, "content") !== undefined) message.object("content");
  if (memberOf(message.value, "confirmations") !== undefined) message.objects("confirmations");
  return asMessageObject(message.value);
}

/** The members were checked one by one just above; their types cannot be told to the compiler otherwise. */
function asMessageObject(value: JsonValue): MessageObject {
  return value as unknown as MessageObject;
}
