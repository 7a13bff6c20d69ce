import { EVENT_CODE, REMOVAL_REASONS, type RemovalReason } from "../../codes.ts";
import type { SqlConnection } from "../../sql/connection.ts";
import type { PaymentType } from "../types.ts";

const LAST = `SELECT cause FROM events
  WHERE item_id = ? AND kind IN (${EVENT_CODE.removing}, ${EVENT_CODE.removed}) ORDER BY seq DESC LIMIT 1`;

/** What its owner had too little of. The log says so; without it, what the message says of its payment. */
export function removalReason(
  connection: SqlConnection,
  itemId: number,
  paymentType: PaymentType | null,
): RemovalReason {
  const row = connection.get<{ cause: string | null }>(LAST, itemId);
  const { reason: cause } = JSON.parse(row?.cause ?? "{}") as { reason?: unknown };
  const told = REMOVAL_REASONS.find((reason) => reason === cause);
  return told ?? (paymentType === "credit" ? "credit_insufficient" : "balance_insufficient");
}
