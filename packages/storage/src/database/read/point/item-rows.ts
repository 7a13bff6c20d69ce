import { encodeItemHash, isItemHash } from "@twentysix/protocol";
import { STATUSES } from "../../codes.ts";
import type { SqlConnection } from "../../sql/connection.ts";
import { unknownCode } from "../message/message-rows.ts";
import type { StatusView } from "../message-view.ts";

const ITEM = "SELECT id, status, reception_us FROM items WHERE hash = ?";

export interface ItemRow extends StatusView {
  readonly id: number;
}

/** The row of an item hash in one indexed read; null for a hash that is unknown or no hash at all. */
export function itemOfHash(connection: SqlConnection, itemHash: string): ItemRow | null {
  if (!isItemHash(itemHash, { anyCidV1: true })) return null;
  const row = connection.getBig<{ id: bigint; status: bigint; reception_us: bigint }>(
    ITEM,
    encodeItemHash(itemHash),
  );
  if (row === undefined) return null;
  return {
    id: Number(row.id),
    itemHash,
    status: STATUSES[Number(row.status)] ?? unknownCode("status", row.status),
    receptionMicros: row.reception_us,
  };
}
