import { decodeItemHash, formatAtto, formatIsoZ } from "@twentysix/protocol";
import { decodeCostLines } from "../../cost-lines.ts";
import type { Dictionaries } from "../dictionary.ts";
import type { JsonText } from "../types.ts";
import { costLineJson } from "./cost-line-json.ts";
import { paymentOfCode } from "./payment-code.ts";

/** What costs and ended costs have in common: `c` is the cost, `p` its price list. */
export const COST_COLUMNS =
  "c.hash, c.owner_id, c.payment, c.hold, c.stream, c.credit, c.lines, p.hash AS price_list";

export interface CostJsonRow {
  readonly hash: Uint8Array;
  readonly owner_id: bigint;
  readonly payment: bigint;
  readonly hold: string;
  readonly stream: string;
  readonly credit: string;
  readonly lines: string;
  readonly price_list: string;
  readonly started_us: bigint;
}

export interface CostJsonOptions {
  readonly withLines: boolean;
  readonly withSizes: boolean;
}

/** The members of a cost as the API writes it, those that only we tell at the end; without braces. */
export function costMembers(
  row: CostJsonRow,
  consumed: string | null,
  { addresses }: Pick<Dictionaries, "addresses">,
  { withLines, withSizes }: CostJsonOptions,
): JsonText {
  const itemHash = decodeItemHash(row.hash);
  const lines = withLines
    ? decodeCostLines(itemHash, row.lines).map((line) => costLineJson(line, withSizes))
    : null;
  return [
    `"item_hash":"${itemHash}"`,
    `"owner":${JSON.stringify(addresses.nameOf(Number(row.owner_id)))}`,
    `"payment_type":"${paymentOfCode(Number(row.payment))}"`,
    ...(consumed === null ? [] : [`"consumed_credits":${consumed}`]),
    `"cost_hold":"${formatAtto(BigInt(row.hold))}"`,
    `"cost_stream":"${formatAtto(BigInt(row.stream))}"`,
    `"cost_credit":"${formatAtto(BigInt(row.credit))}"`,
    `"detail":${JSON.stringify(lines)}`,
    `"pricing_revision":"${row.price_list}"`,
    `"started_at":"${formatIsoZ(row.started_us)}"`,
  ].join(",");
}
