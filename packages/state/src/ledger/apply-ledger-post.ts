import { invalidFormat } from "@twentysix/protocol";
import { need, reject, type Stop, waitForFunds } from "../outcome.ts";
import type { PreparedMessage } from "../prepared.ts";
import type { StateContext } from "../rules.ts";
import { missingFacts, type Need, type World } from "../world.ts";
import { applyBalances, balanceNeeds } from "./balance-update.ts";
import {
  addEntries,
  entryNeeds,
  expenseEntries,
  grantEntries,
  MAX_CREDITS,
  precisionOf,
  settleLots,
} from "./credit-entries.ts";
import { refuseTransferContent, refuseTransferFunds, transferEntries } from "./credit-transfer.ts";
import { type LedgerPost, ledgerPostOf } from "./ledger-post.ts";
import type { LedgerRules } from "./ledger-rules.ts";

function postNeeds(message: PreparedMessage, post: LedgerPost): Need[] {
  const { itemHash } = message.envelope;
  switch (post.kind) {
    case "malformed":
      return [];
    case "balances":
      return [...balanceNeeds(post.update), { table: "publications", key: "balances" }];
    case "distribution":
      return creditNeeds(itemHash, post.distribution.grants);
    case "expense":
      return creditNeeds(itemHash, post.expenses);
    case "transfer":
      return creditNeeds(itemHash, [...post.entries, { address: message.content.owner }]);
  }
}

const creditNeeds = (hash: string, entries: readonly { readonly address: string }[]): Need[] => [
  { table: "entries", key: hash },
  { table: "publications", key: "credits" },
  ...entryNeeds(entries.map(({ address }) => address)),
];

/**
 * May a POST that the ledger acts on be applied? One that is malformed, or sends what its sender does not have, is
 * refused as a whole. What arrives out of order is counted in first.
 */
export function checkLedgerPost(world: World, context: StateContext, message: PreparedMessage): Stop {
  const { ledger } = context.rules;
  const post = ledger === null ? null : ledgerPostOf(ledger, message);
  if (ledger === null || post === null) return null;
  if (post.kind === "malformed") return reject(invalidFormat(post.reason));
  const missing = missingFacts(world, postNeeds(message, post));
  if (missing.length > 0) return need(missing);
  if (exceedsLedger(ledger, message, post)) return reject(invalidFormat("an amount is beyond 2^63 credits"));
  if (post.kind !== "transfer") return null;
  const wrong = refuseTransferContent(ledger, post);
  if (wrong !== null) return reject(wrong);
  const sender = message.content.owner;
  const unsettled = settleLots(world, sender);
  if (unsettled.length > 0) return need(unsettled);
  const refusal = refuseTransferFunds(world, ledger, message, post, context.nowMicros);
  if (refusal === null) return null;
  if (!ledger.fundsKnown) return waitForFunds(refusal, sender);
  return reject(refusal, ledger.isFromNetwork ? [`account:${sender}`] : []);
}

function exceedsLedger(rules: LedgerRules, message: PreparedMessage, post: LedgerPost): boolean {
  const factor = precisionOf(rules, message.content.timeMicros);
  const amounts = amountsOf(post);
  return amounts.some((amount) => amount * factor > MAX_CREDITS);
}

function amountsOf(post: LedgerPost): readonly bigint[] {
  switch (post.kind) {
    case "distribution":
      return post.distribution.grants.map(({ amount }) => amount);
    case "expense":
      return post.expenses.map(({ amount }) => amount);
    case "transfer":
      return post.entries.map(({ amount }) => amount);
    default:
      return [];
  }
}

/** Acts on the ledger. Needs what `checkLedgerPost` asked for. A post whose entries are there is not counted twice. */
export function applyLedgerPost(world: World, context: StateContext, message: PreparedMessage): void {
  const { ledger } = context.rules;
  const post = ledger === null ? null : ledgerPostOf(ledger, message);
  if (ledger === null || post === null || post.kind === "malformed") return;
  if (post.kind === "balances") {
    applyBalances(world, post.update, context.nowMicros);
    publish(world, message, "balances", context.nowMicros);
    return;
  }
  const { itemHash } = message.envelope;
  if (world.facts.entries.get(itemHash) !== null) return;
  addEntries(world, itemHash, creditEntries(world, ledger, message, post));
  if (post.kind !== "transfer") publish(world, message, "credits", context.nowMicros);
}

function creditEntries(
  world: World,
  rules: LedgerRules,
  message: PreparedMessage,
  post: Exclude<LedgerPost, { kind: "malformed" | "balances" }>,
): ReturnType<typeof grantEntries> {
  switch (post.kind) {
    case "distribution":
      return grantEntries(rules, message, post.distribution);
    case "expense":
      return expenseEntries(rules, message, post.expenses);
    case "transfer":
      return transferEntries(world, rules, message, post);
  }
}

/** A further copy of a POST that came on another channel first: it acts now, unless it is refused. */
export function applyLedgerCopy(world: World, context: StateContext, message: PreparedMessage): void {
  if (checkLedgerPost(world, context, message) === null) applyLedgerPost(world, context, message);
}

function publish(
  world: World,
  { envelope, content }: PreparedMessage,
  kind: "balances" | "credits",
  processedMicros: bigint,
): void {
  const { itemHash: hash } = envelope;
  world.facts.publications.set(kind, { hash, timeMicros: content.timeMicros, processedMicros });
}
