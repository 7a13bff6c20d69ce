import { isPaidKind } from "@twentysix/state";
import type { BilledMessage } from "@twentysix/storage";
import { ApiError } from "../errors.ts";

/** A pending message is asked for again after this. */
const RETRY_AFTER_SECONDS = 2;

/** @throws ApiError for a message that has no price as it stands; gone ones are the caller's business. */
export function assertPriced(message: BilledMessage | null): BilledMessage {
  if (message === null || message.status === "rejected") {
    const what = message === null ? "this node knows no such message" : "the message is rejected";
    throw new ApiError("API_NOT_FOUND", `404: Not Found: ${what}`);
  }
  if (message.status === "pending") {
    throw new ApiError(
      "API_MESSAGE_PENDING",
      "409: the message is still pending: ask again in a moment",
      { status: "pending" },
      { "retry-after": String(RETRY_AFTER_SECONDS) },
    );
  }
  if (message.type === null || !isPaidKind(message.type)) {
    const reason = `400: messages of type ${message.type ?? "unknown"} have no price`;
    throw new ApiError("API_BAD_REQUEST", reason);
  }
  return message;
}
