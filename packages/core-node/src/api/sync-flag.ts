import type { JsonValue } from "@twentysix/protocol";
import type { ValidationProblem } from "./query/validation-problem.ts";

const WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  "1": true,
  on: true,
  yes: true,
  y: true,
  t: true,
  false: false,
  "0": false,
  off: false,
  no: false,
  n: false,
  f: false,
};

/** The `sync` member of a submission, read as leniently as the reference does; absent is false. */
export function readSyncFlag(value: JsonValue | undefined): boolean | ValidationProblem {
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  const word = typeof value === "string" || typeof value === "number" ? String(value).toLowerCase() : "";
  if (Object.hasOwn(WORDS, word)) return WORDS[word] === true;
  return { type: "bool_type", loc: ["sync"], msg: "Input should be a valid boolean", input: null };
}
