import { ERROR_TABLE, type ErrorName, errorOfCode, type JsonObject, parseJson } from "@twentysix/protocol";
import type { MessageView } from "@twentysix/storage";
import type { LedgerAnswers } from "../../ledger/ledger-answers.ts";
import { type PaymentRecord, readPaymentRecord } from "../../ledger/payment-record.ts";
import type { PaymentReport, UnpricedReport } from "../../ledger/payment-report.ts";
import { PAYMENT_RULES } from "../../ledger/payment-rules.ts";
import { type ArithmeticStep, billSteps, fundsSteps, fundsUnit, shortOf } from "./arithmetic.ts";
import type { ExplanationNow, ExplanationParts, ExplanationSources } from "./explanation.ts";
import { inquiredMessage } from "./inquired-message.ts";
import { differencesOf } from "./list-differences.ts";
import { accountJson, filesJson, pricesOf } from "./report-json.ts";
import { WHAT_TO_DO } from "./what-to-do.ts";

type RejectedView = Extract<MessageView, { status: "rejected" }>;
type Judged = PaymentReport | UnpricedReport;

/**
 * Why a message was refused. A refusal of payment is told by what was looked at then, and beside it by the prices
 * and the funds of this moment.
 */
export async function explainRejected(
  view: RejectedView,
  sources: ExplanationSources,
): Promise<ExplanationParts> {
  const name = errorNameOf(view.errorCode);
  const record = view.paymentJson === null ? null : readPaymentRecord(view.paymentJson);
  const parts: ExplanationParts = {
    rule: { name, says: errorOfCode(view.errorCode)?.text ?? "" },
    inputs: { error_code: view.errorCode, details: detailsOf(view.detailsJson) },
    arithmetic: [],
    now: null,
    changes: [WHAT_TO_DO[name]],
  };
  if (record === null && !isPaymentError(name)) return parts;
  const then = record === null ? null : await wholeRecord(view, record, sources);
  const now = await judgeNow(view, sources, record, null);
  return {
    ...parts,
    inputs: {
      ...parts.inputs,
      ...(record === null
        ? { price_list: null }
        : { judged_at: record.judgedAt, price_list: record.priceList }),
      ...(then === null ? {} : judgedInputs(then)),
      ...(now === null || "unpriced" in now ? {} : { rule_now: now.rule }),
    },
    arithmetic: then === null ? [] : await stepsOf(then, sources),
    now: now === null ? null : await nowOf(now, record?.priceList ?? null, sources),
    changes: changesOf(name, then, now),
  };
}

/** A record that was too long to be kept whole is completed by what its price list says of the message. */
async function wholeRecord(
  view: RejectedView,
  record: PaymentRecord,
  sources: ExplanationSources,
): Promise<Judged> {
  if ("unpriced" in record || !record.isShortened) return record;
  const again = await judgeNow(view, sources, record, record.priceList);
  if (again === null || "unpriced" in again) return record;
  return { ...record, lines: again.lines, files: again.files };
}

/** null where the message is not whole any more, or what it is uses no resources. */
async function judgeNow(
  { messageJson, itemHash }: RejectedView,
  { ledger, downloads, signal }: ExplanationSources,
  record: PaymentRecord | null,
  priceList: string | null,
): Promise<Judged | null> {
  const message =
    messageJson === null ? null : await inquiredMessage(messageJson, itemHash, downloads, signal);
  if (message === null) return null;
  const judged = await ledger.judge({ ...message, priceList }, signal);
  const fileSizeBytes = goneFileBytes(judged, record);
  if (fileSizeBytes === null) return judged;
  const bySize = await ledger.judge({ ...message, priceList, fileSizeBytes }, signal);
  if (bySize === null || "unpriced" in bySize) return bySize;
  return { ...bySize, files: bySize.files.map((file) => ({ ...file, sizeBytes: null })) };
}

/** How large the file of a STORE was that this node does not hold any more: it is priced as if it came again. */
function goneFileBytes(judged: Judged | null, record: PaymentRecord | null): number | null {
  if (judged === null || "unpriced" in judged || record === null || "unpriced" in record) return null;
  const [now, then] = [judged.files[0], record.files[0]];
  return judged.kind === "STORE" && now?.sizeBytes === null ? (then?.sizeBytes ?? null) : null;
}

function judgedInputs(judged: Judged): JsonObject {
  if ("unpriced" in judged) return { unpriced: judged.unpriced };
  return {
    owner: judged.owner,
    payment_type: judged.paymentType,
    payment_rule: judged.rule,
    gate_seconds: judged.gateSeconds,
    gate_time: judged.gateIsObserved ? "observed" : "envelope",
    files: filesJson(judged.files),
    account: accountJson(judged.account),
  };
}

async function stepsOf(judged: Judged, { ledger, signal }: ExplanationSources): Promise<ArithmeticStep[]> {
  if ("unpriced" in judged) return [];
  const { lines, total, paymentType, funds, runtimeSeconds } = judged;
  const pricing = await pricesOf(ledger, judged.priceList, signal);
  return [
    ...billSteps(lines, total, paymentType, pricing),
    ...(funds === null ? [] : fundsSteps(funds, paymentType, runtimeSeconds)),
  ];
}

async function nowOf(
  now: Judged,
  listThen: string | null,
  sources: ExplanationSources,
): Promise<ExplanationNow> {
  const isUnpriced = "unpriced" in now;
  return {
    accepted: !isUnpriced && now.isAccepted,
    rule: isUnpriced
      ? { name: "unpriced", says: now.unpriced }
      : { name: now.rule, says: PAYMENT_RULES[now.rule].says },
    price_list: now.priceList,
    is_same_list: listThen === null ? null : listThen === now.priceList,
    differences: await differencesBetween(sources, listThen, now.priceList),
    inputs: judgedInputs(now),
    arithmetic: await stepsOf(now, sources),
  };
}

async function differencesBetween(
  { ledger, signal }: { readonly ledger: LedgerAnswers; readonly signal: AbortSignal },
  before: string | null,
  now: string | null,
): Promise<ExplanationNow["differences"]> {
  if (before === null || now === null || before === now) return [];
  const lists = await Promise.all([ledger.priceList(before, signal), ledger.priceList(now, signal)]);
  return differencesOf(...lists);
}

function changesOf(name: ErrorName, then: Judged | null, now: Judged | null): string[] {
  if (now === null || "unpriced" in now) return [WHAT_TO_DO[name], ...lackingOf(then)];
  if (now.isAccepted) {
    const isComplete = now.files.every(({ sizeBytes }) => sizeBytes !== null);
    const first = isComplete ? "" : "upload or publish again what now.inputs.files does not resolve, and ";
    return [`it would be accepted now: ${first}submit it again`, WHAT_TO_DO[name]];
  }
  return [WHAT_TO_DO[name], ...lackingOf(now), PAYMENT_RULES[now.rule].changes];
}

/** How much of what would have to be added. */
function lackingOf(judged: Judged | null): string[] {
  if (judged === null || "unpriced" in judged || judged.funds === null) return [];
  const short = shortOf(judged.funds);
  return short === null ? [] : [`at least ${short} ${fundsUnit(judged.paymentType)} more are needed`];
}

function detailsOf(detailsJson: string | null): JsonObject[string] {
  const details = detailsJson === null ? null : parseJson(detailsJson);
  return details?.ok ? details.value : null;
}

function errorNameOf(code: number): ErrorName {
  const entries = Object.entries(ERROR_TABLE) as [ErrorName, { readonly code: number }][];
  return entries.find(([, error]) => error.code === code)?.[0] ?? "INTERNAL_ERROR";
}

const isPaymentError = (name: ErrorName): boolean =>
  name === "BALANCE_INSUFFICIENT" || name === "CREDIT_INSUFFICIENT" || name === "INVALID_PAYMENT_METHOD";
