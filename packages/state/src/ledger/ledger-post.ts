import {
  type BalanceUpdate,
  type CreditDistribution,
  type CreditExpense,
  type CreditTransferEntry,
  isJsonObject,
  type JsonValue,
  type LedgerContentResult,
  memberOf,
  parseJson,
  readBalancePost,
  readCreditDistribution,
  readCreditExpense,
  readCreditTransfer,
} from "@twentysix/protocol";
import type { PreparedMessage } from "../prepared.ts";
import type { LedgerRules } from "./ledger-rules.ts";

/** A POST that the ledger acts on. */
export type LedgerPost =
  | { readonly kind: "balances"; readonly update: BalanceUpdate }
  | { readonly kind: "distribution"; readonly distribution: CreditDistribution }
  | { readonly kind: "expense"; readonly expenses: readonly CreditExpense[] }
  | { readonly kind: "transfer"; readonly entries: readonly CreditTransferEntry[]; readonly mints: boolean }
  | { readonly kind: "malformed"; readonly reason: string };

export type LedgerPostKind = Exclude<LedgerPost["kind"], "malformed">;

/** What a POST was read as: it is looked at when it is judged and again when it is applied. */
const readBefore = new WeakMap<PreparedMessage, LedgerPost>();

/**
 * What a message means to the ledger; null for nearly all. Whose it is counts, not who signed it. A credit post
 * counts on its channel only, which no signature covers: so one copy on it is enough.
 *
 * Source: pyaleph `src/aleph/handlers/content/post.py`.
 */
export function ledgerPostOf(rules: LedgerRules, message: PreparedMessage): LedgerPost | null {
  const kind = ledgerKindOf(rules, message);
  if (kind === null) return null;
  const known = readBefore.get(message);
  if (known !== undefined) return known;
  const content = innerContent(message);
  if (content === null) return null;
  const post = read(rules, message, kind, content);
  readBefore.set(message, post);
  return post;
}

function ledgerKindOf(rules: LedgerRules, { envelope, content }: PreparedMessage): LedgerPostKind | null {
  if (envelope.type !== "POST") return null;
  const kind = kindOfPost(rules, content.owner, content.label);
  if (kind === null || kind === "balances") return kind;
  const { channels } = rules.credits;
  return channels.length === 0 || (envelope.channel !== null && channels.includes(envelope.channel))
    ? kind
    : null;
}

/** What posts of that owner and type are to the ledger, wherever they are posted. */
function kindOfPost(rules: LedgerRules, owner: string, type: string | null): LedgerPostKind | null {
  const { balances, credits } = rules;
  switch (type) {
    case balances.postType:
      return balances.addresses.includes(owner) ? "balances" : null;
    case credits.distributionPostType:
      return credits.addresses.includes(owner) ? "distribution" : null;
    case credits.expensePostType:
      return credits.addresses.includes(owner) ? "expense" : null;
    case credits.transferPostType:
      return "transfer";
    default:
      return null;
  }
}

/** `content.content` of the post; null where there is nothing in it. */
function innerContent({ envelope, contentText }: PreparedMessage): JsonValue | null {
  const parsed = parseJson(contentText ?? envelope.itemContent ?? "");
  if (!parsed.ok || !isJsonObject(parsed.value)) return null;
  const inner = memberOf(parsed.value, "content") ?? null;
  return isEmpty(inner) ? null : inner;
}

/** What Python takes for nothing. */
function isEmpty(value: JsonValue): boolean {
  if (typeof value !== "object" || value === null) return !value;
  return Object.keys(value).length === 0;
}

function read(
  { credits }: LedgerRules,
  { content: { owner } }: PreparedMessage,
  kind: LedgerPostKind,
  content: JsonValue,
): LedgerPost {
  switch (kind) {
    case "balances":
      return wellFormed(readBalancePost(content), (update) => ({ kind, update }));
    case "distribution":
      return wellFormed(readCreditDistribution(content), (distribution) => ({ kind, distribution }));
    case "expense":
      return wellFormed(readCreditExpense(content), (expenses) => ({ kind, expenses }));
    case "transfer":
      return wellFormed(readCreditTransfer(content, owner), (entries) => ({
        kind,
        entries,
        mints: credits.addresses.includes(owner),
      }));
  }
}

function wellFormed<Value>(
  result: LedgerContentResult<Value>,
  post: (value: Value) => LedgerPost,
): LedgerPost {
  return result.ok ? post(result.value) : { kind: "malformed", reason: result.reason };
}
