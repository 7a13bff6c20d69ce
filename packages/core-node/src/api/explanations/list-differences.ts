import { isJsonObject, type JsonObject, type JsonValue } from "@twentysix/protocol";
import type { PriceListReport } from "../../ledger/payment-report.ts";

/** A figure that is another one in a later price list. */
export type ListDifference = {
  readonly path: string;
  readonly before: JsonValue;
  readonly now: JsonValue;
};

/** Most differences that one answer tells. */
const MAX_DIFFERENCES = 1_000;

/** Where two price lists differ, by the path of each figure; nothing where one of them is not known. */
export function differencesOf(before: PriceListReport | null, now: PriceListReport | null): ListDifference[] {
  const found: ListDifference[] = [];
  if (before !== null && now !== null) compare("", listJson(before), listJson(now), found);
  return found;
}

const listJson = ({ pricingText, settingsText }: PriceListReport): JsonValue => ({
  pricing: JSON.parse(pricingText) as JsonValue,
  settings: JSON.parse(settingsText) as JsonValue,
});

function compare(path: string, before: JsonValue, now: JsonValue, found: ListDifference[]): void {
  if (found.length >= MAX_DIFFERENCES || before === now) return;
  const [left, right] = [membersOf(before), membersOf(now)];
  if (left === null || right === null) {
    found.push({ path, before, now });
    return;
  }
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)]))
    compare(path === "" ? key : `${path}.${key}`, left[key] ?? null, right[key] ?? null, found);
}

/** An array is compared by positions. */
function membersOf(value: JsonValue): JsonObject | null {
  if (Array.isArray(value)) return { ...(value as unknown as JsonObject) };
  return isJsonObject(value) ? value : null;
}
