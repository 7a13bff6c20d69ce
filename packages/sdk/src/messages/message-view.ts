import { type JsonObject, type JsonValue, memberOf } from "@twentysix/protocol";
import { type AnswerObject, badAnswer } from "../http/answer-json.ts";
import { type MessageObject, readMessageObject } from "./message-object.ts";

export const MESSAGE_STATUSES = [
  "pending",
  "processed",
  "rejected",
  "forgotten",
  "removing",
  "removed",
] as const;

/**
 * `pending`: queued. `processed`: applied. `rejected`: invalid. `forgotten`: deleted by its author. `removing`:
 * live, but its owner can no longer pay. `removed`: deleted for lack of funds.
 */
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

interface ViewCommon<Status extends MessageStatus> {
  readonly status: Status;
  readonly itemHash: string;
  /** ISO 8601, UTC; null when the node does not know. */
  readonly receptionTime: string | null;
}

/** What a node knows of one hash. */
export type MessageView =
  | (ViewCommon<"pending"> & { readonly messages: readonly JsonObject[] })
  | (ViewCommon<"processed"> & { readonly message: MessageObject })
  | (ViewCommon<"removing"> & { readonly message: MessageObject; readonly reason: JsonValue })
  | (ViewCommon<"rejected"> & {
      /** The message as it was received. */
      readonly message: JsonObject;
      readonly errorCode: number;
      readonly details: JsonValue;
    })
  | (ViewCommon<"forgotten"> & {
      /** What is left of it, without content. */
      readonly message: JsonObject;
      readonly forgottenBy: readonly string[];
    })
  | (ViewCommon<"removed"> & { readonly message: JsonObject; readonly reason: JsonValue });

export function readMessageView(answer: AnswerObject): MessageView {
  const status = readStatus(answer, "status");
  const common = { itemHash: answer.text("item_hash"), receptionTime: answer.textOrNull("reception_time") };
  const member = (key: string): JsonValue => memberOf(answer.value, key) ?? null;
  switch (status) {
    case "pending":
      return { ...common, status, messages: answer.objects("messages").map((message) => message.value) };
    case "processed":
      return { ...common, status, message: readMessageObject(answer.object("message")) };
    case "removing":
      return {
        ...common,
        status,
        message: readMessageObject(answer.object("message")),
        reason: member("reason"),
      };
    case "rejected":
      return {
        ...common,
        status,
        message: answer.object("message").value,
        errorCode: answer.number("error_code"),
        details: member("details"),
      };
    case "forgotten":
      return {
        ...common,
        status,
        message: answer.object("message").value,
        forgottenBy: answer.texts("forgotten_by"),
      };
    case "removed":
      return { ...common, status, message: answer.object("message").value, reason: member("reason") };
  }
}

export function readStatus(answer: AnswerObject, key: string): MessageStatus {
  const text = answer.text(key);
  const status = MESSAGE_STATUSES.find((known) => known === text);
  if (status === undefined) throw badAnswer(answer.url, `"${text}" is not a status of a message`);
  return status;
}
