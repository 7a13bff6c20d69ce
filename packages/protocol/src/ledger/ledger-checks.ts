import { string, wideInteger } from "../content/scalar-checks.ts";
import { type Check, INVALID, Validation } from "../content/validation.ts";
import type { JsonValue } from "../json/json-value.ts";
import { encodeUtf8 } from "../json/utf8.ts";

/** Credits of one entry: a JSON integer above zero that fits 64 bits. No boolean, text or float. */
export const creditAmount: Check<bigint> = (value, at) => {
  const amount = strictAmount(value, at);
  return amount === INVALID ? INVALID : BigInt(amount);
};
const strictAmount = wideInteger({ min: 1, max: 2n ** 63n - 1n, strict: true });

export const anyText = string();

/**
 * Names by which the ledger is kept in order. No address of any chain is nearly that long, and an index of a database
 * server takes no longer ones.
 */
const MAX_NAME_BYTES = 1_024;

/** A text that the ledger can be ordered by. */
export const ledgerName: Check<string> = (value, at) => {
  const name = anyText(value, at);
  if (name === INVALID || name.length * 3 <= MAX_NAME_BYTES) return name;
  if (encodeUtf8(name).length <= MAX_NAME_BYTES) return name;
  const message = `Value error, a name of the ledger has at most ${MAX_NAME_BYTES} bytes`;
  return at.fail("value_error", message, null);
};

/** An address: any text that is not blank. */
export const accountAddress: Check<string> = (value, at) => {
  const address = ledgerName(value, at);
  if (address === INVALID || address.trim() !== "") return address;
  return at.fail("value_error", "Value error, address must not be blank", value);
};

/** The end of the year 9999, in milliseconds. */
const MAX_MILLIS = 253_402_300_799_999;
const millis = wideInteger({ min: 0, max: MAX_MILLIS });

/** Unix milliseconds as microseconds; 0 and null stand for "never". */
export const expirationMicros: Check<bigint | null> = (value, at) => {
  if (value === null) return null;
  const read = millis(value, at);
  if (read === INVALID) return INVALID;
  return BigInt(read) === 0n ? null : BigInt(read) * 1_000n;
};

const DECIMAL = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?$/;

/** A decimal text, or a number by its shortest text (`0.000001` is `1e-06`). */
export const decimalText: Check<string> = (value, at) => {
  const text = typeof value === "number" || typeof value === "bigint" ? shortestText(value) : value;
  if (typeof text === "string" && text.length <= 64 && DECIMAL.test(text.trim())) return text.trim();
  return at.fail("value_error", "Value error, price must be a decimal", value);
};

/** As Python writes a number: an exponent, of two digits at least, below 10^-4 and from 10^16 on. */
function shortestText(value: number | bigint): string {
  if (typeof value === "bigint") return String(value);
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-4 && size < 1e16)) return String(value);
  return value.toExponential().replace(/(?<=e[+-])[0-9]$/, "0$&");
}

export type LedgerContentResult<Value> =
  | { readonly ok: true; readonly value: Value }
  /** One line that says which member is wrong, and how. */
  | { readonly ok: false; readonly reason: string };

/** Most problems that one line repeats. */
const MAX_PROBLEMS = 3;

/** Reads `content.content` of a ledger post by its schema. */
export function readLedgerContent<Value>(
  what: string,
  content: JsonValue,
  check: Check<Value>,
): LedgerContentResult<Value> {
  const validation = new Validation([], {});
  const value = check(content, validation);
  if (value !== INVALID) return { ok: true, value };
  const problems = validation.problems
    .slice(0, MAX_PROBLEMS)
    .map(({ loc, msg }) => (loc.length === 0 ? msg : `${loc.join(".")}: ${msg}`));
  return { ok: false, reason: `Invalid ${what} content: ${problems.join("; ")}` };
}
