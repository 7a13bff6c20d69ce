import type { MessageView, PaymentType, StatusView } from "@twentysix/storage";
import { isoUtc } from "./time-format.ts";

/** The body of the status route. */
export function renderStatus(view: StatusView): string {
  return `{${commonMembers(view)}}`;
}

/** The body of the single-message route; null when the message was removed and no snapshot is left. */
export function renderMessageView(view: MessageView): string | null {
  const common = commonMembers(view);
  switch (view.status) {
    case "pending":
      return `{${common},"messages":[${view.messagesJson.join(",")}]}`;
    case "processed":
      return `{${common},"message":${view.messageJson}}`;
    case "rejected":
      return `{${common},"message":${view.messageJson ?? "null"},"error_code":${view.errorCode},"details":${view.detailsJson ?? "null"}}`;
    case "forgotten":
      return `{${common},"message":${view.messageJson},"forgotten_by":${JSON.stringify(view.forgottenBy)}}`;
    case "removing":
      return `{${common},"message":${view.messageJson},"reason":"${removalReason(view.paymentType)}"}`;
    case "removed":
      if (view.messageJson === null) return null;
      return `{${common},"message":${view.messageJson},"reason":"${removalReason(view.paymentType)}","removed_at":${seconds(view.removedMicros)},"size":${view.sizeBytes ?? "null"}}`;
  }
}

function commonMembers({ status, itemHash, receptionMicros }: StatusView): string {
  return `"status":"${status}","item_hash":"${itemHash}","reception_time":"${isoUtc(receptionMicros)}"`;
}

function removalReason(paymentType: PaymentType | null): string {
  return paymentType === "credit" ? "credit_insufficient" : "balance_insufficient";
}

/** Unix seconds with up to six decimals, exact. */
function seconds(micros: bigint | null): string {
  if (micros === null) return "null";
  const fraction = (micros % 1_000_000n).toString().padStart(6, "0").replace(/0+$/, "");
  return `${micros / 1_000_000n}.${fraction === "" ? "0" : fraction}`;
}
