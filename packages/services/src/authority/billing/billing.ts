import type { Account } from "@twentysix/protocol";
import { listPosts } from "@twentysix/sdk";
import type { AuthorityContext } from "../context.ts";
import {
  type BillingPeriod,
  type BillingRules,
  type ExpensePosition,
  nextBillingPeriod,
} from "./billing-period.ts";
import { EXPENSE_KINDS, type ExpenseKind, lastExpense } from "./expense-post.ts";
import { ExpenseWriter, MAX_EXPENSE_ENTRIES } from "./expense-writer.ts";
import { usageOf } from "./owner-usage.ts";
import { SteadyClock } from "./steady-clock.ts";
import { usingOwners } from "./used-resources.ts";

/** A machine sleeps, or its clock is set: then an hour ends before the timers think so. */
const MAX_DELAY_MS = 600_000;

export interface BillingOptions {
  readonly maxEntries?: number;
}

/**
 * Posts what lived and ran since the last expenses. Where to go on is read from the network every time, so that a
 * crash, a restart, or another machine in this one's place neither bills twice nor leaves anything out.
 */
export class Billing {
  readonly #context: AuthorityContext;
  readonly #account: Account;
  readonly #rules: BillingRules;
  readonly #maxEntries: number;
  readonly #steady: SteadyClock;
  /** How far this process has come: a period in which nothing cost anything leaves no post behind. */
  readonly #reached = new Map<ExpenseKind, ExpensePosition>();

  constructor(context: AuthorityContext, account: Account, options: BillingOptions = {}) {
    const { periodSeconds, maxSpanSeconds } = context.settings.billing;
    this.#context = context;
    this.#account = account;
    this.#rules = {
      periodMicros: BigInt(periodSeconds) * 1_000_000n,
      maxSpanMicros: BigInt(maxSpanSeconds) * 1_000_000n,
    };
    this.#maxEntries = options.maxEntries ?? MAX_EXPENSE_ENTRIES;
    this.#steady = new SteadyClock(context.clock, periodSeconds * 1_000);
  }

  /** Until the next period ends, or until it is time to see whether one has. */
  nextDelayMs(): number {
    const { periodMicros } = this.#rules;
    const leftMicros = periodMicros - (this.#context.clock.nowMicros() % periodMicros);
    return Math.min(Number(leftMicros / 1_000n) + 1, MAX_DELAY_MS);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#context.publisher.settleEarlier(signal);
    const writers: ExpenseWriter[] = [];
    for (const kind of EXPENSE_KINDS) {
      const period = await this.#nextPeriod(kind, signal);
      if (period !== null) {
        writers.push(new ExpenseWriter(this.#context, this.#account, kind, period, this.#maxEntries));
      }
    }
    if (writers.length > 0) await this.#bill(writers, signal);
  }

  async #nextPeriod(kind: ExpenseKind, signal: AbortSignal): Promise<BillingPeriod | null> {
    const { clock, log } = this.#context;
    const nowMicros = clock.nowMicros();
    const last = await this.#lastPosition(kind, signal);
    const fromMicros = last === null ? await this.#firstMicros(nowMicros, signal) : nowMicros;
    const decision = nextBillingPeriod(last, fromMicros, nowMicros, this.#rules);
    if (decision.kind === "wait") return null;
    if (decision.kind === "ahead") {
      log.error("the newest expense ends in the future; nothing is billed before the clock has passed it", {
        kind,
        endMicros: String(decision.endMicros),
        remedy: "set the clock right, or forget that post when its own time was wrong",
      });
      return null;
    }
    if (decision.waivedMicros === 0n) return decision.period;
    const waivedSeconds = Number(decision.waivedMicros / 1_000_000n);
    if (!this.#steady.isProven()) {
      log.warn("long since the last expense, or the clock is wrong; one period is waited", {
        kind,
        waivedSeconds,
      });
      return null;
    }
    log.warn("nothing was billed for long; a part of that time is waived", { kind, waivedSeconds });
    return decision.period;
  }

  async #lastPosition(kind: ExpenseKind, signal: AbortSignal): Promise<ExpensePosition | null> {
    const { connection, definition } = this.#context;
    const { expensePostType: type, channels } = definition.authorities.credits;
    const owner = this.#account.address;
    const channel = channels[0] ?? null;
    const posted = await lastExpense(connection, { kind, owner, type, channel, signal });
    const reached = this.#reached.get(kind) ?? null;
    if (posted === null || reached === null) return posted ?? reached;
    return reached.endMicros >= posted.endMicros ? reached : posted;
  }

  /** Nothing can have cost credits before there were any. */
  async #firstMicros(nowMicros: bigint, signal: AbortSignal): Promise<bigint> {
    const { connection, definition } = this.#context;
    const { items } = await listPosts(connection, {
      owners: [this.#account.address],
      types: [definition.authorities.credits.distributionPostType],
      order: "ascending",
      pageSize: 1,
      signal,
    });
    const createdMs = items[0] === undefined ? Number.NaN : Date.parse(items[0].created);
    return Number.isNaN(createdMs) ? nowMicros : BigInt(createdMs) * 1_000n;
  }

  async #bill(writers: readonly ExpenseWriter[], signal: AbortSignal): Promise<void> {
    const { connection } = this.#context;
    const startMicros = writers.map(({ period }) => period.startMicros).reduce(earlier);
    for (const owner of await usingOwners(connection, startMicros, signal)) {
      const usage = await usageOf(connection, owner, startMicros, signal);
      for (const writer of writers) {
        for (const entry of usage.entriesIn(writer.kind, writer.period)) await writer.add(entry, signal);
      }
    }
    for (const writer of writers) {
      await writer.finish(signal);
      const { startMicros: start, endMicros, part } = writer.period;
      this.#reached.set(writer.kind, { startMicros: start, endMicros, part, isComplete: true, lastKey: "" });
    }
    this.#steady.reset();
  }
}

const earlier = (a: bigint, b: bigint): bigint => (a < b ? a : b);
