import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  memberOf,
  parseJson,
  sliceMembers,
} from "@twentysix/protocol";
import { elementRanges } from "../long-text/member-range.ts";
import type { ReadBudget } from "../read-budget.ts";
import type { AuthorizationFilter, JsonText } from "../types.ts";

/** Longer entries are left out, and so is what stands behind that many of one list: nobody wrote it by hand. */
const MAX_ENTRY_BYTES = 64 * 1024;
const MAX_ENTRIES = 100_000;
/** Entries between two looks at the budget. */
const STEP_ENTRIES = 1_000;

export interface AuthorizationEntry {
  readonly address: string;
  /** As stored, but without its address. */
  readonly json: JsonText;
}

/** Entries of a stored list that name an address and pass the filter; nothing for what is no list. */
export function* authorizationEntries(
  list: Buffer,
  filter: AuthorizationFilter,
  budget: ReadBudget,
): Generator<AuthorizationEntry, void, undefined> {
  let seen = 0;
  for (const { start, end } of elementRanges(list)) {
    seen += 1;
    if (seen > MAX_ENTRIES) return;
    if (seen % STEP_ENTRIES === 0) budget.checkpoint();
    if (end - start > MAX_ENTRY_BYTES) continue;
    const json = list.toString("utf8", start, end);
    const parsed = parseJson(json);
    const entry = parsed.ok ? parsed.value : null;
    if (entry === null || !isJsonObject(entry)) continue;
    const address = memberOf(entry, "address");
    if (typeof address === "string" && passes(filter, entry)) yield { address, json: withoutAddress(json) };
  }
}

/** A dimension that an entry leaves open passes every filter. */
function passes(filter: AuthorizationFilter, entry: JsonObject): boolean {
  const member = (key: string): JsonValue | undefined => memberOf(entry, key);
  const chain = member("chain");
  const dimensions: readonly [readonly string[] | undefined, JsonValue | undefined][] = [
    [filter.types, member("types")],
    [filter.channels, member("channels")],
    [filter.chains, chain === undefined || chain === null || chain === "" ? [] : [chain]],
    [filter.postTypes, member("post_types")],
    [filter.aggregateKeys, member("aggregate_keys")],
  ];
  return dimensions.every(([wanted, own]) => {
    if (wanted === undefined || !Array.isArray(own) || own.length === 0) return true;
    return wanted.some((value) => own.includes(value));
  });
}

function withoutAddress(json: JsonText): JsonText {
  const members: string[] = [];
  for (const [key, { start, end }] of sliceMembers(json)) {
    if (key !== "address") members.push(`${JSON.stringify(key)}:${json.slice(start, end)}`);
  }
  return `{${members.join(",")}}`;
}
