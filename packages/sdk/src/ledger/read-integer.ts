import { memberOf } from "@twentysix/protocol";
import type { AnswerObject } from "../http/answer-json.ts";

/** A member that is a whole number, however large. */
export function readInteger(answer: AnswerObject, key: string): bigint {
  const member = memberOf(answer.value, key);
  if (typeof member === "bigint") return member;
  if (typeof member === "number" && Number.isInteger(member)) return BigInt(member);
  throw answer.bad(key, "a whole number");
}
