import { MESSAGE_TYPES } from "@twentysix/protocol";
import type { SqlConnection } from "../../sql/connection.ts";
import type { Dictionaries } from "../dictionary.ts";
import { itemOfHash } from "../point/item-rows.ts";
import type { BilledMessage, CostView } from "./ledger-views.ts";
import { paymentOfCode } from "./payment-code.ts";

const LIVE = "SELECT type, owner_id, payment_id, NULL AS size FROM messages WHERE id = ?";
const FORGOTTEN = "SELECT type, owner_id, payment_id, size FROM forgotten WHERE id = ?";
const REMOVED = "SELECT type, owner_id, payment_id, size FROM removed WHERE id = ?";
const COST = `SELECT c.payment, c.hold, c.stream, c.credit, c.lines, p.hash AS price_list
  FROM costs AS c CROSS JOIN price_lists AS p WHERE c.id = ? AND p.id = c.price_list_id`;

interface Row {
  readonly type: bigint | null;
  readonly owner_id: bigint | null;
  readonly payment_id: bigint | null;
  readonly size: bigint | null;
}

/** A message and its bill, whatever its status. */
export function billedMessage(
  connection: SqlConnection,
  names: Dictionaries,
  itemHash: string,
): BilledMessage | null {
  const item = itemOfHash(connection, itemHash);
  if (item === null) return null;
  const { status, id } = item;
  const isLive = status === "processed" || status === "removing";
  const row = isLive
    ? connection.getBig<Row>(LIVE, id)
    : status === "forgotten" || status === "removed"
      ? connection.getBig<Row>(status === "forgotten" ? FORGOTTEN : REMOVED, id)
      : undefined;
  const type = row === undefined || row.type === null ? undefined : MESSAGE_TYPES[Number(row.type)];
  const { addresses, labels } = names;
  const owner = row?.owner_id ?? null;
  const payment = row?.payment_id ?? null;
  return {
    status,
    type: type ?? null,
    owner: owner === null ? null : addresses.nameOf(owner),
    paymentType: payment === null ? null : labels.nameOf(payment),
    sizeBytes: row?.size ?? null,
    cost: isLive ? costOf(connection, id) : null,
  };
}

function costOf(connection: SqlConnection, id: number): CostView | null {
  const row = connection.get<{
    payment: number;
    hold: string;
    stream: string;
    credit: string;
    lines: string;
    price_list: string;
  }>(COST, id);
  if (row === undefined) return null;
  return {
    paymentType: paymentOfCode(row.payment),
    linesText: row.lines,
    holdAtto: BigInt(row.hold),
    streamAttoPerSecond: BigInt(row.stream),
    creditAttoPerSecond: BigInt(row.credit),
    priceListHash: row.price_list,
  };
}
