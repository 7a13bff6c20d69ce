import type { Account } from "@twentysix/protocol";
import type { AuthorityContext } from "../context.ts";
import type { BillingPeriod } from "./billing-period.ts";
import type { ExpenseEntry } from "./expense-entries.ts";
import { type ExpenseKind, expenseContent, expenseTimeMicros } from "./expense-post.ts";

/** Entries of one post. */
export const MAX_EXPENSE_ENTRIES = 2_000;
/** How many times as many a post may have when nothing but hold-paid entries follows its last debit. */
const MAX_HOLD_FACTOR = 10;

/**
 * Posts the entries of one period, in parts, in the order of their keys. Each post but the last says that more
 * follow, and its last entry says where: the next run goes on there.
 *
 * The ledger takes no post without a debit, so a part begins where there is one.
 */
export class ExpenseWriter {
  readonly kind: ExpenseKind;
  readonly #context: AuthorityContext;
  readonly #account: Account;
  readonly #maxEntries: number;
  #period: BillingPeriod;
  #entries: ExpenseEntry[] = [];
  #hasDebit = false;
  #untoldHolds = 0;

  constructor(
    context: AuthorityContext,
    account: Account,
    kind: ExpenseKind,
    period: BillingPeriod,
    maxEntries: number,
  ) {
    this.kind = kind;
    this.#context = context;
    this.#account = account;
    this.#period = period;
    this.#maxEntries = maxEntries;
  }

  get period(): BillingPeriod {
    return this.#period;
  }

  /** Entries come in the order of their keys; what an earlier run billed is passed over. */
  async add(entry: ExpenseEntry, signal: AbortSignal): Promise<void> {
    const { afterKey } = this.#period;
    const { credit, hold, key } = entry;
    if ((credit === null && hold === null) || (afterKey !== null && key <= afterKey)) return;
    const isFull = this.#entries.length >= this.#maxEntries;
    if (isFull && this.#hasDebit && credit !== null) await this.#post(false, signal);
    if (credit === null && this.#entries.length >= this.#maxEntries * MAX_HOLD_FACTOR) {
      this.#untoldHolds += 1;
      return;
    }
    this.#entries.push(entry);
    this.#hasDebit ||= credit !== null;
  }

  /** Posts the last part; none when there is no debit in it, which the ledger would refuse. */
  async finish(signal: AbortSignal): Promise<void> {
    if (this.#hasDebit) await this.#post(true, signal);
    else this.#untoldHolds += this.#entries.length;
    if (this.#untoldHolds === 0) return;
    this.#context.log.warn(
      "some that holds tokens is in no expense: there are too few debits to tell it with",
      {
        kind: this.kind,
        entries: this.#untoldHolds,
        endMicros: String(this.#period.endMicros),
      },
    );
  }

  async #post(isComplete: boolean, signal: AbortSignal): Promise<void> {
    const { publisher, definition, settings, log } = this.#context;
    const { credits } = definition.authorities;
    const entries = this.#entries;
    const { creditPriceTokens } = settings.billing;
    const content = expenseContent(this.kind, this.#period, entries, { isComplete, creditPriceTokens });
    const itemHash = await publisher.publish(
      {
        account: this.#account,
        type: "POST",
        content: { type: credits.expensePostType, content },
        channel: credits.channels[0] ?? null,
        timeMicros: expenseTimeMicros(this.#period),
      },
      signal,
    );
    log.info("posted expenses", {
      kind: this.kind,
      entries: entries.length,
      credits: String(entries.reduce((sum, { credit }) => sum + (credit?.amount ?? 0n), 0n)),
      endMicros: String(this.#period.endMicros),
      part: this.#period.part,
      itemHash,
    });
    this.#entries = [];
    this.#hasDebit = false;
    this.#period = { ...this.#period, part: this.#period.part + 1, afterKey: entries.at(-1)?.key ?? null };
  }
}
