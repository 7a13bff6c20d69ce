import { formatAtto, type MessageError, messageError, type PricedPaymentType } from "@twentysix/protocol";
import type { PriceRequest, PriceVerdict } from "../rules.ts";
import { ATTO } from "./accounts.ts";
import type { FundsCheck, PaymentRule } from "./payment-rule.ts";

/** How a message stands before the price list, with every figure that was looked at. */
export interface PaymentDecision {
  readonly rule: PaymentRule;
  readonly isAccepted: boolean;
  /** It had to be paid for: what is free by date or size is not billed. */
  readonly isBilled: boolean;
  /** null where the rule looks at no amount. */
  readonly funds: FundsCheck | null;
}

/** Accounts may go this many times beyond their funds by what other nodes accepted. */
const MAX_OVERCOMMITMENT = 4n;

/** The price hook: can the owner pay? Runs inside the transaction that would apply the message. */
export function judgePayment(request: PriceRequest): PriceVerdict {
  const decision = decidePayment(request);
  if (decision.isAccepted) return { ok: true };
  const error = errorOf(decision, request);
  const { isFromNetwork, fundsKnown } = request.rules;
  const isShort = decision.rule === "funds-missing";
  if (isShort && !fundsKnown) return { ok: false, error, isLackOfNode: true };
  const revivable = isShort && isFromNetwork;
  return { ok: false, error, waits: revivable ? [`account:${request.message.content.owner}`] : [] };
}

/**
 * The payment gates in the order of the protocol. Dates are compared with the envelope's time, or with what was
 * observed where the network says so. Source: pyaleph `src/aleph/services/cost_validation.py`.
 */
export function decidePayment(request: PriceRequest): PaymentDecision {
  const { kind, paymentType, gateSeconds, rules } = request;
  const { cutovers } = rules;
  const reached = (from: number | null): boolean => from !== null && gateSeconds >= from;
  const paysCredits = paymentType === "credit";
  if (kind === "V-PROGRAM") return paysCredits ? checkFunds(request) : refused("credit-only-verifiable");
  const isOnDemand = kind === "STORE" || (kind === "PROGRAM" && !request.isPersistent);
  if (isOnDemand && !reached(cutovers.paidFilesFromSeconds) && cutovers.paidFilesFromSeconds !== null)
    return passed("free-by-date");
  if (!paysCredits && reached(cutovers.creditOnlyFromSeconds)) return refused("credit-only");
  if (!paysCredits && !isOnDemand && reached(cutovers.creditOnlyMachinesFromSeconds))
    return refused("credit-only-machines");
  const debt = checkDebt(request);
  if (debt !== null) return debt;
  if (isFreeFile(request)) return passed("free-by-size");
  if (paymentType === "superfluid" && kind !== "STORE")
    return { ...passed("stream-watched-by-node"), isBilled: true };
  return checkFunds(request);
}

/**
 * An account in deficit may not even store a small file: as in the reference, which looks at what is owed before
 * it knows the size of a file of its own engine. null: go on.
 */
function checkDebt(request: PriceRequest): PaymentDecision | null {
  const { detail } = request.message.content;
  if (request.rules.freeItemsUncounted || detail.kind !== "STORE" || detail.engine === "ipfs") return null;
  const owed = checkFunds({ ...request, cost: { ...request.cost, total: NOTHING } });
  return owed.isAccepted ? null : owed;
}

const NOTHING = { holdAtto: 0n, streamAttoPerSecond: 0n, creditAttoPerSecond: 0n };

/** A small file is free while tokens are held. */
function isFreeFile({ kind, paymentType, storedBytes, rules }: PriceRequest): boolean {
  return (
    kind === "STORE" &&
    paymentType === "hold" &&
    storedBytes !== null &&
    storedBytes > 0 &&
    storedBytes <= rules.freeFileBytes
  );
}

/** Everything that the owner pays for in this way, and this message with it, against what he has. */
export function checkFunds(request: PriceRequest): PaymentDecision {
  const { rules } = request;
  const funds = fundsOf(request);
  if (funds.addedAtto === 0n && rules.freeItemsUncounted) return { ...passed("free-in-debt"), funds };
  if (funds.requiredAtto <= funds.availableAtto)
    return { rule: "funds-suffice", isAccepted: true, isBilled: true, funds };
  const isAcceptedElsewhere =
    rules.overcommitSwept &&
    rules.isFromNetwork &&
    funds.addedAtto <= funds.availableAtto &&
    funds.requiredAtto <= funds.availableAtto * MAX_OVERCOMMITMENT;
  if (isAcceptedElsewhere)
    return { rule: "funds-exceeded-elsewhere", isAccepted: true, isBilled: true, funds };
  return { ...refused("funds-missing"), funds };
}

function fundsOf({ cost, paymentType, account, credits, rules }: PriceRequest): FundsCheck {
  const { total } = cost;
  if (paymentType === "credit") {
    const committedAtto = account.creditAttoPerSecond * rules.creditRuntimeSeconds;
    const addedAtto = total.creditAttoPerSecond * rules.creditRuntimeSeconds;
    const requiredAtto = committedAtto + addedAtto;
    return { committedAtto, addedAtto, requiredAtto, availableAtto: credits * ATTO };
  }
  const isHold = paymentType === "hold";
  const committedAtto = isHold ? account.heldAtto : account.streamedAttoPerSecond;
  const addedAtto = isHold ? total.holdAtto : total.streamAttoPerSecond;
  const requiredAtto = committedAtto + addedAtto;
  return { committedAtto, addedAtto, requiredAtto, availableAtto: account.tokensAtto };
}

const PAYMENT_TYPES = ["hold", "superfluid", "credit"] as const;
/** A STORE that names a stream is malformed. */
const FILE_PAYMENT_TYPES = ["hold", "credit"] as const;

/** The ways of payment that the dates still allow for such a message. */
function allowedPayments(request: PriceRequest): readonly PricedPaymentType[] {
  const types = request.kind === "STORE" ? FILE_PAYMENT_TYPES : PAYMENT_TYPES;
  return types.filter((paymentType) => {
    const { rule } = decidePayment({ ...request, paymentType });
    return rule !== "credit-only" && rule !== "credit-only-machines" && rule !== "credit-only-verifiable";
  });
}

const SECONDS_PER_DAY = 86_400;

/** The refusal of a decision: code 202, 5 or 6 with its figures. */
export function errorOf({ funds }: PaymentDecision, request: PriceRequest): MessageError {
  const { paymentType, rules } = request;
  if (funds === null) return messageError("INVALID_PAYMENT_METHOD", null);
  const shortfall = formatAtto(funds.requiredAtto - funds.availableAtto);
  if (paymentType === "credit") {
    const figures = {
      required_credits: formatAtto(funds.requiredAtto),
      account_credits: (funds.availableAtto / ATTO).toString(),
      min_runtime_days: Number(rules.creditRuntimeSeconds) / SECONDS_PER_DAY,
      shortfall,
      allowed_payment_types: allowedPayments(request),
    };
    return messageError("CREDIT_INSUFFICIENT", { errors: [figures] });
  }
  const figures = {
    required_balance: formatAtto(funds.requiredAtto),
    account_balance: plainAmount(funds.availableAtto),
    shortfall,
    allowed_payment_types: allowedPayments(request),
  };
  return messageError("BALANCE_INSUFFICIENT", { errors: [figures] });
}

/** An amount without the zeros at its end: `1234.5`, `0`. */
export function plainAmount(atto: bigint): string {
  return formatAtto(atto).replace(/\.?0+$/, "");
}

const passed = (rule: PaymentRule): PaymentDecision => ({
  rule,
  isAccepted: true,
  isBilled: false,
  funds: null,
});
const refused = (rule: PaymentRule): PaymentDecision => ({
  rule,
  isAccepted: false,
  isBilled: false,
  funds: null,
});
