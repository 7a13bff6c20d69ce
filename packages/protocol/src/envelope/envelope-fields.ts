import { CHAINS, type Chain } from "../chains.ts";
import { float, oneOf, string } from "../content/scalar-checks.ts";
import { type Check, INVALID, type Validation } from "../content/validation.ts";
import { ITEM_TYPES, type ItemType } from "../envelope.ts";
import { type JsonObject, type JsonValue, memberOf } from "../json/json-value.ts";
import { END_TIME_SECONDS, MIN_TIME_SECONDS, microsOfSeconds } from "../time/micros.ts";

/** The fields of an envelope that are checked one by one. */
export interface PlainFields {
  readonly chain: Chain;
  readonly sender: string;
  /** Empty counts as null: the signature is missing. */
  readonly signature: string | null;
  readonly itemType: ItemType;
  readonly itemHash: string;
  readonly timeMicros: bigint;
  readonly channel: string | null;
}

const anyText = string();

/** A text that a database can store. */
const storableText: Check<string> = (value, at) => {
  const text = anyText(value, at);
  if (text === INVALID || !text.includes("\u0000")) return text;
  return at.fail("value_error", "Value error, NUL characters are not allowed");
};

const nullableText: Check<string | null> = (value, at) => (value === null ? null : storableText(value, at));

const time: Check<bigint> = (value, at) => {
  if (typeof value !== "number" && typeof value !== "bigint") {
    return at.fail("float_type", "Input should be a valid number", value);
  }
  const seconds = float(value, at);
  if (seconds === INVALID) return INVALID;
  if (seconds < MIN_TIME_SECONDS || seconds >= END_TIME_SECONDS) {
    return at.fail("value_error", "Value error, time must be between the years 1 and 9999", value);
  }
  return microsOfSeconds(seconds);
};

const chain = oneOf(...CHAINS);
const itemType = oneOf(...ITEM_TYPES);

/** Reads the plain fields of an envelope, noting every problem; `defaultItemType` stands in for an absent one. */
export function readPlainFields(
  object: JsonObject,
  defaultItemType: ItemType,
  at: Validation,
): PlainFields | null {
  const read = <Value>(key: string, check: Check<Value>, whenAbsent?: Value) => {
    const member = memberOf(object, key);
    if (member !== undefined) return at.inside(object, key, member, check);
    return whenAbsent === undefined ? at.failAt(key, "missing", "Field required") : whenAbsent;
  };
  const withDefaultType: Check<ItemType> = (value: JsonValue, place) =>
    value === null ? defaultItemType : itemType(value, place);

  const fields = {
    chain: read("chain", chain),
    sender: read("sender", storableText),
    signature: read<string | null>("signature", nullableText, null),
    itemType: read("item_type", withDefaultType, defaultItemType),
    itemHash: read("item_hash", storableText),
    timeMicros: read("time", time),
    channel: read<string | null>("channel", nullableText, null),
  };
  return Object.values(fields).includes(INVALID) ? null : (fields as PlainFields);
}
