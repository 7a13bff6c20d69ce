import type { JsonValue } from "../json/json-value.ts";
import { isJsonObject, memberOf } from "../json/json-value.ts";
import { list, required, withDefault } from "./composite-checks.ts";
import { float, integer, itemHash, string } from "./scalar-checks.ts";
import { type Check, INVALID, type Validation } from "./validation.ts";

/** Members of every content. */
export type CommonFields = {
  /** Owner of what the message creates or changes. */
  readonly address: string;
  /** Unix seconds claimed by the author. */
  readonly time: number;
};

/** Latest `content.time`, in seconds (year 2262). Source: aleph-message `aleph_message/models/abstract.py`. */
export const MAX_CONTENT_TIME_SECONDS = 9_223_372_036;

const contentTime: Check<number> = (value, at) => {
  if (typeof value === "string") return at.fail("float_type", "Input should be a valid number", value);
  const seconds = float(value, at);
  if (seconds === INVALID) return INVALID;
  if (seconds < 0) {
    return at.fail("greater_than_equal", "Input should be greater than or equal to 0", value);
  }
  if (seconds > MAX_CONTENT_TIME_SECONDS) {
    const limit = `Input should be less than or equal to ${MAX_CONTENT_TIME_SECONDS}`;
    return at.fail("less_than_equal", limit, value);
  }
  return seconds;
};

export const commonFields = { address: required(string()), time: required(contentTime) };

/** At most 16 labels of 1 to 256 characters. */
export const tagList = list(string({ min: 1, max: 256 }), { max: 16 });

/** Free content of a POST or an AGGREGATE: only its tags, when there are any, have a form. */
export function checkNestedTags(value: JsonValue, at: Validation): boolean {
  if (!isJsonObject(value)) return true;
  const tags = memberOf(value, "tags");
  return tags === undefined || tags === null || at.inside(value, "tags", tags, tagList) !== INVALID;
}

/** TCP or UDP port. */
export const port = integer({ min: 1, max: 65_535 });

/** A STORE message whose file is to be used, or the newest file of its tag. */
export type LatestRef = {
  readonly ref: string;
  readonly use_latest: boolean;
};

export const refField = required(itemHash);

/** A list that is empty when absent and must not be null. */
export function emptyList<Value>(check: Check<readonly Value[]>) {
  return withDefault<readonly Value[]>(check, () => []);
}
