import { type CostAmounts, type CostLine, formatAtto } from "@twentysix/protocol";
import {
  type AccountFact,
  type FundsCheck,
  leftFor,
  plainAmount,
  type Served,
  type Shortfall,
} from "@twentysix/state";
import type {
  ReportedAccount,
  ReportedAmounts,
  ReportedFunds,
  ReportedLine,
  ReportedServed,
  ReportedShortfall,
} from "./payment-report.ts";

export function reportLine(line: CostLine): ReportedLine {
  return {
    type: line.type,
    name: line.name,
    ref: line.ref,
    sizeMib: line.sizeMib === null ? null : line.sizeMib.toFixed(),
    quantity: line.quantity.toFixed(),
    ...reportAmounts(line),
  };
}

export function reportAmounts(amounts: CostAmounts): ReportedAmounts {
  return {
    hold: formatAtto(amounts.holdAtto),
    stream: formatAtto(amounts.streamAttoPerSecond),
    credit: formatAtto(amounts.creditAttoPerSecond),
  };
}

export function reportFunds(funds: FundsCheck): ReportedFunds {
  return {
    committed: formatAtto(funds.committedAtto),
    added: formatAtto(funds.addedAtto),
    required: formatAtto(funds.requiredAtto),
    available: formatAtto(funds.availableAtto),
  };
}

export function reportAccount(account: AccountFact, credits: bigint): ReportedAccount {
  return {
    tokens: plainAmount(account.tokensAtto),
    credits: credits.toString(),
    held: formatAtto(account.heldAtto),
    creditsPerSecond: formatAtto(account.creditAttoPerSecond),
  };
}

export function reportServed(served: Served): ReportedServed {
  const { availableAtto, messagesBefore, takenAtto, neededAtto } = served;
  const leftAtto = leftFor(served);
  return {
    available: formatAtto(availableAtto),
    messagesBefore,
    before: formatAtto(takenAtto),
    left: formatAtto(leftAtto),
    needed: formatAtto(neededAtto),
    short: formatAtto(neededAtto > leftAtto ? neededAtto - leftAtto : 0n),
  };
}

export const reportShortfall = (found: Shortfall): ReportedShortfall => ({
  atMicros: found.atMicros,
  ...reportServed(found),
});
