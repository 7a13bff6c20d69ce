import { formatIsoZ } from "@twentysix/protocol";
import type { StandingReport } from "../../ledger/payment-report.ts";
import { PAYMENT_RULES } from "../../ledger/payment-rules.ts";
import { billSteps, fundsUnit, isNothing, servedSteps } from "./arithmetic.ts";
import { type ExplanationParts, type ExplanationSources, plainExplanation } from "./explanation.ts";
import { acceptanceJson, accountJson, filesJson, pricesOf, shortfallJson } from "./report-json.ts";

/** Why a message is accepted, billed, or about to be removed. */
export async function explainLive(
  itemHash: string,
  { ledger, reads, signal }: ExplanationSources,
): Promise<ExplanationParts> {
  const standing = await ledger.standing(itemHash, signal);
  if (standing === null) {
    const says = "it is signed, permitted, and uses no resources that are paid for";
    return plainExplanation("accepted", says, {}, ["a FORGET by its owner"]);
  }
  const { paymentType, served, runtimeSeconds } = standing;
  const pricing = await pricesOf(ledger, standing.priceList, signal);
  return {
    rule: ruleOf(standing),
    inputs: {
      owner: standing.owner,
      payment_type: paymentType,
      price_list: standing.priceList,
      files: filesJson(standing.files),
      account: accountJson(standing.account),
      consumed_credits: await reads.consumedCredits(itemHash),
      accepted_by: acceptanceJson(standing),
      ...removalInputs(standing),
    },
    arithmetic: [
      ...billSteps(standing.lines, standing.total, paymentType, pricing),
      ...(served === null ? [] : servedSteps(served, paymentType, runtimeSeconds)),
    ],
    now: null,
    changes: changesOf(standing),
  };
}

function removalInputs({ removal, paymentType }: StandingReport): ExplanationParts["inputs"] {
  if (removal === null) return {};
  const { marked } = removal;
  return {
    removing_since: formatIsoZ(removal.sinceMicros),
    delete_by: formatIsoZ(removal.deleteByMicros),
    confirmed_by_a_later_publication: removal.isConfirmed,
    marked: marked === null ? null : shortfallJson(marked, fundsUnit(paymentType)),
  };
}

function ruleOf({ removal, acceptance, isBilled, paymentType }: StandingReport): ExplanationParts["rule"] {
  if (removal !== null) {
    return {
      name: removal.reason,
      says: "the funds of the owner do not reach for it any more, the oldest of his messages served first; it is removed after the grace, once an authority has published since and the funds still do not reach",
    };
  }
  if (acceptance === null && !isBilled) return { name: "free", says: "it is free by its date or its size" };
  const likely = paymentType === "superfluid" ? "stream-watched-by-node" : "funds-suffice";
  const name = acceptance?.rule ?? likely;
  return { name, says: PAYMENT_RULES[name].says };
}

function changesOf({ removal, isRemovable, paymentType, served }: StandingReport): string[] {
  const unit = fundsUnit(paymentType);
  if (removal !== null) {
    const lacking =
      served === null || isNothing(served.short)
        ? "nothing more is needed: the funds reach for it again, which the next look at the account finds"
        : `add at least ${served.short} ${unit}, or forget earlier messages, until LEFT reaches NEEDED`;
    return [lacking, `it is not removed before ${formatIsoZ(removal.deleteByMicros)}`];
  }
  if (!isRemovable) return ["a FORGET by its owner: no lack of funds removes it"];
  return [`it is marked for removal when LEFT falls below NEEDED: keep enough ${unit}`];
}
