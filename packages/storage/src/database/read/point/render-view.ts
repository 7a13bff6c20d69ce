import { formatIsoZ, formatTime } from "@twentysix/protocol";
import { joinTexts } from "../long-text/item-text.ts";
import type { MessageView } from "../message-view.ts";
import type { ItemText } from "../text-types.ts";

/** The body of the single-message route. A removed message without snapshot has no body: the route answers 410. */
export function renderMessageView(view: MessageView): ItemText | null {
  const head = `{"status":"${view.status}","item_hash":"${view.itemHash}","reception_time":"${formatIsoZ(view.receptionMicros)}"`;
  switch (view.status) {
    case "pending":
      return joinTexts(
        `${head},"messages":[`,
        ...view.messagesJson.flatMap((copy, at) => (at === 0 ? [copy] : [",", copy])),
        "]}",
      );
    case "processed":
      return joinTexts(`${head},"message":`, view.messageJson, "}");
    case "rejected":
      return `${head},"message":${view.messageJson ?? "null"},"error_code":${view.errorCode},"details":${view.detailsJson ?? "null"}}`;
    case "forgotten":
      return `${head},"message":${view.messageJson},"forgotten_by":${JSON.stringify(view.forgottenBy)}}`;
    case "removing":
      return joinTexts(`${head},"message":`, view.messageJson, `,"reason":"${view.reason}"}`);
    case "removed": {
      if (view.messageJson === null) return null;
      const removedAt = view.removedMicros === null ? "null" : formatTime(view.removedMicros);
      return `${head},"message":${view.messageJson},"reason":"${view.reason}","removed_at":${removedAt},"size":${view.sizeBytes}}`;
    }
  }
}
