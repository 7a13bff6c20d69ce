import type { RemovalReason, Status } from "../codes.ts";
import type { ItemText } from "./text-types.ts";
import type { JsonText } from "./types.ts";

export interface StatusView {
  readonly status: Status;
  readonly itemHash: string;
  readonly receptionMicros: bigint;
}

/** Everything that the single-message route tells, by status. `renderMessageView` makes its body. */
export type MessageView = StatusView &
  (
    | { readonly status: "pending"; readonly messagesJson: readonly ItemText[] }
    | { readonly status: "processed"; readonly messageJson: ItemText }
    | {
        readonly status: "rejected";
        /** As first received; null when only its code was kept. */
        readonly messageJson: JsonText | null;
        readonly errorCode: number;
        readonly detailsJson: JsonText | null;
        /** What was looked at where it was refused payment, as it was kept with the refusal. */
        readonly paymentJson: JsonText | null;
      }
    | {
        readonly status: "forgotten";
        readonly messageJson: JsonText;
        readonly forgottenBy: readonly string[];
      }
    | {
        readonly status: "removing";
        readonly messageJson: ItemText;
        readonly reason: RemovalReason;
      }
    | {
        readonly status: "removed";
        /** null when no snapshot is left: the route answers 410. */
        readonly messageJson: JsonText | null;
        readonly reason: RemovalReason;
        readonly removedMicros: bigint | null;
        readonly sizeBytes: number | null;
      }
  );
