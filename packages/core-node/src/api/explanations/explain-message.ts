import {
  ERROR_TABLE,
  type ErrorName,
  errorOfCode,
  formatIsoZ,
  isChain,
  isJsonObject,
  type JsonObject,
  MESSAGE_TYPES,
  type MessageType,
  memberOf,
  microsOfSeconds,
  type PriceList,
  parseJson,
} from "@twentysix/protocol";
import type { MessageView } from "@twentysix/storage";
import type { LedgerAnswers } from "../../ledger/ledger-answers.ts";
import type { InquiredMessage } from "../../ledger/ledger-inquiry.ts";
import type { PaymentReport, StandingReport } from "../../ledger/payment-report.ts";
import { PAYMENT_RULES } from "../../ledger/payment-rules.ts";
import { billSteps, fundsSteps, unitOf } from "./arithmetic.ts";
import type { Explanation } from "./explanation.ts";
import { WHAT_TO_DO } from "./what-to-do.ts";

export interface ExplanationSources {
  readonly ledger: LedgerAnswers;
  readonly signal: AbortSignal;
}

type Parts = Omit<Explanation, "item_hash" | "status">;

/** Why a message stands as it does: the rule, what it looked at, the sum line by line, and what would change it. */
export async function explainMessage(view: MessageView, sources: ExplanationSources): Promise<Explanation> {
  return { item_hash: view.itemHash, status: view.status, ...(await partsOf(view, sources)) };
}

async function partsOf(view: MessageView, sources: ExplanationSources): Promise<Parts> {
  switch (view.status) {
    case "processed":
    case "removing":
      return await explainLive(view.itemHash, sources);
    case "rejected":
      return await explainRejected(view, sources);
    case "removed":
      return explainRemoved(view);
    case "forgotten":
      return plain("forgotten", "its owner has taken it back", { forgotten_by: view.forgottenBy }, [
        "nothing: what is forgotten stays forgotten",
      ]);
    case "pending":
      return plain(
        "pending",
        "it is well-formed and waits for its turn, or for something that it names",
        {},
        ["publish what it names; /api/v1/messages/{hash}/events tells what was tried"],
      );
  }
}

const plain = (name: string, says: string, inputs: Parts["inputs"], changes: readonly string[]): Parts => ({
  rule: { name, says },
  inputs,
  arithmetic: [],
  changes: [...changes],
});

async function explainLive(itemHash: string, { ledger, signal }: ExplanationSources): Promise<Parts> {
  const standing = await ledger.standing(itemHash, signal);
  if (standing === null) {
    return plain("accepted", "it is signed, permitted, and uses no resources that are paid for", {}, [
      "a FORGET by its owner",
    ]);
  }
  const pricing = await pricesOf(ledger, standing.priceList, signal);
  const { removal } = standing;
  return {
    rule: ruleOfStanding(standing),
    inputs: {
      owner: standing.owner,
      payment_type: standing.paymentType,
      price_list: standing.priceList,
      account: accountOf(standing),
      ...(removal === null
        ? {}
        : {
            removing_since: formatIsoZ(removal.sinceMicros),
            delete_by: formatIsoZ(removal.deleteByMicros),
            confirmed_by_a_later_publication: removal.isConfirmed,
          }),
    },
    arithmetic: [
      ...billSteps(standing.lines, standing.total, standing.paymentType, pricing),
      ...standingSteps(standing),
    ],
    changes: changesOfStanding(standing),
  };
}

function ruleOfStanding({ removal, isBilled, paymentType }: StandingReport): Parts["rule"] {
  if (removal !== null) {
    return {
      name: removal.reason,
      says: "the funds of the owner do not reach for it any more, the oldest of his messages served first; it is removed after the grace, once an authority has published since and the funds still do not reach",
    };
  }
  if (!isBilled) return { name: "free", says: "it is free by its date or its size" };
  const name = paymentType === "superfluid" ? "stream-watched-by-node" : "funds-suffice";
  return { name, says: PAYMENT_RULES[name].says };
}

const accountOf = ({ account }: Pick<StandingReport, "account">): Record<string, string> => ({
  tokens: account.tokens,
  credits: account.credits,
  held: account.held,
  credits_per_second: account.creditsPerSecond,
});

function standingSteps(standing: StandingReport): Parts["arithmetic"] {
  if (standing.paymentType === "superfluid") return [];
  const unit = standing.paymentType === "credit" ? "credits" : unitOf(standing.paymentType);
  const lasting = standing.paymentType === "credit" ? ` for ${standing.runtimeSeconds} s` : "";
  const { messages, amount } = standing.before;
  return [
    {
      line: "BEFORE",
      name: "BEFORE",
      formula: `${messages} earlier messages of the owner${lasting}`,
      amount,
      unit,
    },
    { line: "LEFT", name: "LEFT", formula: "funds - BEFORE", amount: standing.left, unit },
    { line: "NEEDED", name: "NEEDED", formula: `TOTAL${lasting}`, amount: standing.needed, unit },
  ];
}

function changesOfStanding({ removal, isRemovable, paymentType }: StandingReport): string[] {
  if (removal !== null) return ["add funds until LEFT reaches NEEDED, or forget earlier messages"];
  if (!isRemovable) return ["a FORGET by its owner: no lack of funds removes it"];
  const funds = paymentType === "credit" ? "credits" : "tokens";
  return [`it is marked for removal when LEFT falls below NEEDED: keep enough ${funds}`];
}

async function explainRejected(
  view: Extract<MessageView, { status: "rejected" }>,
  { ledger, signal }: ExplanationSources,
): Promise<Parts> {
  const name = errorNameOf(view.errorCode);
  const details = view.detailsJson === null ? { ok: false as const } : parseJson(view.detailsJson);
  const parts: Parts = {
    rule: { name, says: errorOfCode(view.errorCode)?.text ?? "" },
    inputs: { error_code: view.errorCode, details: details.ok ? details.value : null },
    arithmetic: [],
    changes: [WHAT_TO_DO[name]],
  };
  const message = view.messageJson === null ? null : inquiredOf(view.messageJson);
  if (message === null || !isPaymentError(name)) return parts;
  const report = await ledger.judge(message, signal);
  if (report === null || "unpriced" in report) return parts;
  return { ...parts, ...(await explainReport(report, parts, ledger, signal)) };
}

/** What of a refusal for want of funds can be told as it stands now. */
async function explainReport(
  report: PaymentReport,
  { inputs, changes }: Parts,
  ledger: LedgerAnswers,
  signal: AbortSignal,
): Promise<Pick<Parts, "inputs" | "arithmetic" | "changes">> {
  const pricing = await pricesOf(ledger, report.priceList, signal);
  const nowAccepted = report.isAccepted ? ["it would be accepted now: submit it again"] : [];
  return {
    inputs: {
      ...inputs,
      owner: report.owner,
      payment_type: report.paymentType,
      price_list: report.priceList,
      gate_seconds: report.gateSeconds,
      gate_time: report.gateIsObserved ? "observed" : "envelope",
      files: report.files.map(({ name, fileHash, sizeBytes }) => ({
        name,
        file_hash: fileHash,
        size: sizeBytes,
      })),
      account: accountOf(report),
      rule_now: report.rule,
    },
    arithmetic: [
      ...billSteps(report.lines, report.total, report.paymentType, pricing),
      ...(report.funds === null ? [] : fundsSteps(report.funds, report.paymentType, report.runtimeSeconds)),
    ],
    changes: [...nowAccepted, ...changes, PAYMENT_RULES[report.rule].changes],
  };
}

function explainRemoved(view: Extract<MessageView, { status: "removed" }>): Parts {
  const reason = view.paymentType === "credit" ? "credit_insufficient" : "balance_insufficient";
  return plain(
    reason,
    "the funds of its owner did not reach for it until the end of the grace",
    {
      payment_type: view.paymentType ?? "hold",
      removed_at: view.removedMicros === null ? null : formatIsoZ(view.removedMicros),
      size: view.sizeBytes,
    },
    ["where the network lets removed messages return: add funds, upload its file and submit it again"],
  );
}

function errorNameOf(code: number): ErrorName {
  const entries = Object.entries(ERROR_TABLE) as [ErrorName, { readonly code: number }][];
  return entries.find(([, error]) => error.code === code)?.[0] ?? "INTERNAL_ERROR";
}

const isPaymentError = (name: ErrorName): boolean =>
  name === "BALANCE_INSUFFICIENT" || name === "CREDIT_INSUFFICIENT" || name === "INVALID_PAYMENT_METHOD";

/** A rejected message as it can be judged again; null where its text is not whole. */
function inquiredOf(messageJson: string): InquiredMessage | null {
  const parsed = parseJson(messageJson);
  if (!parsed.ok || !isJsonObject(parsed.value)) return null;
  const text = (key: string): string | null => textMember(parsed.value as JsonObject, key);
  const [type, sender, chain, contentText] = [
    text("type"),
    text("sender"),
    text("chain"),
    text("item_content"),
  ];
  const time = memberOf(parsed.value, "time");
  if (!isMessageType(type) || sender === null || chain === null || !isChain(chain)) return null;
  if (contentText === null || typeof time !== "number") return null;
  const timeMicros = microsOfSeconds(time);
  return {
    type,
    sender,
    chain,
    contentText,
    timeMicros,
    fileSizeBytes: null,
    priceList: null,
    gates: "message",
  };
}

function textMember(object: JsonObject, key: string): string | null {
  const value = memberOf(object, key);
  return typeof value === "string" ? value : null;
}

const isMessageType = (type: string | null): type is MessageType =>
  type !== null && (MESSAGE_TYPES as readonly string[]).includes(type);

/** The prices of a list by its name. */
export async function pricesOf(ledger: LedgerAnswers, hash: string, signal: AbortSignal): Promise<PriceList> {
  const list = await ledger.priceList(hash, signal);
  return list === null ? {} : (JSON.parse(list.pricingText) as PriceList);
}
