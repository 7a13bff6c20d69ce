import { decodeItemHash, formatIsoZ, PriceDecimal } from "@twentysix/protocol";
import type { CreditEntryRow } from "../../write/ledger/credit-entries.ts";
import type { JsonText } from "../types.ts";

/** A row of `credit_entries` as lists read it. */
export type EntryRow = Omit<CreditEntryRow, "account_id">;

export const ENTRY_COLUMNS = `e.hash, e.idx, e.amount, e.time_us, e.expires_us, e.price, e.bonus, e.tx_hash, e.token,
  e.chain, e.origin, e.origin_ref, e.provider, e.method, e.n, e.size_mib`;

/** Prices and sizes are texts in both modes, since numbers would lose digits. */
export function entryJson(row: EntryRow): JsonText {
  const text = (value: string | null): string => JSON.stringify(value);
  const time = (micros: bigint | null): string => (micros === null ? "null" : `"${formatIsoZ(micros)}"`);
  const members = [
    `"amount":${row.amount}`,
    `"price":${text(plain(row.price))}`,
    `"bonus_amount":${row.bonus}`,
    `"tx_hash":${text(row.tx_hash)}`,
    `"token":${text(row.token)}`,
    `"chain":${text(row.chain)}`,
    `"provider":${text(row.provider)}`,
    `"origin":${text(row.origin)}`,
    `"origin_ref":${text(row.origin_ref)}`,
    `"payment_method":${text(row.method)}`,
    `"credit_ref":"${decodeItemHash(row.hash)}"`,
    `"credit_index":${row.idx}`,
    `"expiration_date":${time(row.expires_us)}`,
    `"message_timestamp":${time(row.time_us)}`,
    `"expense_count":${row.n}`,
    `"expense_size_mib":${text(plain(row.size_mib))}`,
  ];
  return `{${members.join(",")}}`;
}

/** A decimal without an exponent, which some publishers write. */
function plain(decimal: string | null): string | null {
  if (decimal === null || !/e/i.test(decimal)) return decimal;
  const value = new PriceDecimal(decimal);
  return value.isFinite() && Math.abs(value.e) < 60 ? value.toFixed() : decimal;
}
