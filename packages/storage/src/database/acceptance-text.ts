import type { Acceptance } from "@twentysix/state";
import { ACCEPTANCE_RULES } from "./codes.ts";

/**
 * By which rule a message was accepted, as the database keeps it: the code of the rule, and where funds were looked at
 * what was committed, added and available, as decimal integers of 10^-18.
 */
export function encodeAcceptance({ rule, funds }: Acceptance): string {
  const code = ACCEPTANCE_RULES.indexOf(rule);
  if (funds === null) return `${code}`;
  return `${code} ${funds.committedAtto} ${funds.addedAtto} ${funds.availableAtto}`;
}

/** The inverse of `encodeAcceptance`. */
export function decodeAcceptance(text: string): Acceptance {
  const [code, committed, added, available] = text.split(" ");
  const rule = ACCEPTANCE_RULES[Number(code)];
  if (rule === undefined)
    throw new Error(`The database holds payment rule ${code}, which this version does not know`);
  if (committed === undefined || added === undefined || available === undefined) return { rule, funds: null };
  const [committedAtto, addedAtto] = [BigInt(committed), BigInt(added)];
  const requiredAtto = committedAtto + addedAtto;
  return { rule, funds: { committedAtto, addedAtto, requiredAtto, availableAtto: BigInt(available) } };
}
