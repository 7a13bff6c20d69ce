import { type Clock, isAbortOf, type Logger, type Timers } from "@twentysix/platform";
import { type ForecastFacts, ReadError } from "@twentysix/storage";
import type { ForecastRules } from "./forecast.ts";
import {
  changeEvents,
  type ForecastEvent,
  firstEvent,
  nextThresholdMicros,
  type Outlook,
  outlookOf,
} from "./forecast-events.ts";

export interface ForecastWatchParts {
  readonly rules: ForecastRules;
  /** Another text whenever something of the account has changed. */
  readonly mark: (address: string) => Promise<string | null>;
  readonly facts: (address: string, nowMicros: bigint, signal: AbortSignal) => Promise<ForecastFacts>;
  readonly statusOf: (itemHash: string) => Promise<string | null>;
  readonly onCommit: (listener: () => void) => () => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
}

/** Commits that follow each other faster are looked at together. */
const MIN_PAUSE_MS = 1_000;
const RETRY_MS = 5_000;
/** A runway that stands still just above a threshold is not looked at more often than this. */
const MIN_THRESHOLD_MS = 60_000;
/** Timers count with 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Account {
  readonly address: string;
  readonly listeners: Set<(event: ForecastEvent) => void>;
  mark: string | null;
  outlook: Outlook | null;
  /** Its next event has come. */
  isDue: boolean;
  cancelTimer: () => void;
}

/**
 * Tells whoever listens what comes of accounts. Each is looked at when a commit has changed it, and when its runway
 * comes to a threshold; however many listen to one, it is looked at once. Without listeners nothing is read.
 */
export class ForecastWatch {
  readonly #parts: ForecastWatchParts;
  readonly #accounts = new Map<string, Account>();
  readonly #closing = new AbortController();
  #stopCommits: (() => void) | null = null;
  #isWanted = false;
  #isRunning = false;

  constructor(parts: ForecastWatchParts) {
    this.#parts = parts;
  }

  /** Tells at once how things stand, as soon as that is read, and then what changes; returns the end of it. */
  subscribe(address: string, listener: (event: ForecastEvent) => void): () => void {
    const account = this.#accounts.get(address) ?? this.#add(address);
    account.listeners.add(listener);
    if (account.outlook !== null) listener(firstEvent(account.outlook));
    return () => {
      account.listeners.delete(listener);
      if (account.listeners.size === 0 && this.#accounts.get(address) === account) this.#remove(account);
    };
  }

  /** Aborts when the watch is closed: streams end with it. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  close(): void {
    this.#closing.abort();
    for (const account of [...this.#accounts.values()]) this.#remove(account);
  }

  #add(address: string): Account {
    const account: Account = {
      address,
      listeners: new Set(),
      mark: null,
      outlook: null,
      isDue: true,
      cancelTimer: () => undefined,
    };
    this.#accounts.set(address, account);
    this.#stopCommits ??= this.#parts.onCommit(() => this.#wake());
    this.#wake();
    return account;
  }

  #remove(account: Account): void {
    account.cancelTimer();
    this.#accounts.delete(account.address);
    if (this.#accounts.size > 0) return;
    this.#stopCommits?.();
    this.#stopCommits = null;
  }

  #wake(): void {
    this.#isWanted = true;
    if (this.#isRunning || this.signal.aborted) return;
    this.#isRunning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    const { timers } = this.#parts;
    try {
      while (this.#isWanted && !this.signal.aborted) {
        this.#isWanted = false;
        const isRead = await this.#lookAtAll();
        this.#isWanted ||= !isRead;
        if (this.#accounts.size > 0) await timers.sleep(isRead ? MIN_PAUSE_MS : RETRY_MS, this.signal);
      }
    } catch (error) {
      if (!isAbortOf(this.signal, error)) throw error;
    } finally {
      this.#isRunning = false;
    }
  }

  /** False when something could not be read and is to be tried again. */
  async #lookAtAll(): Promise<boolean> {
    let isRead = true;
    for (const account of [...this.#accounts.values()]) {
      try {
        await this.#look(account);
      } catch (error) {
        if (!(error instanceof ReadError)) throw error;
        this.#parts.log.warn("What comes of an account cannot be read; tried again", { error });
        account.isDue = true;
        isRead = false;
      }
    }
    return isRead;
  }

  async #look(account: Account): Promise<void> {
    const { mark, facts, rules, clock, statusOf } = this.#parts;
    const { address, outlook: before } = account;
    const seen = await mark(address);
    if (!account.isDue && seen === account.mark) return;
    account.isDue = false;
    const nowMicros = clock.nowMicros();
    const now = outlookOf(address, await facts(address, nowMicros, this.signal), rules, nowMicros);
    const formerly = before?.removing ?? null;
    const status = formerly === null || formerly === now.removing ? null : await statusOf(formerly);
    account.mark = seen;
    account.outlook = now;
    this.#arm(account, now);
    // Another removal may come sooner than one that stands.
    const endedStatus = status === "removing" ? null : status;
    const events = before === null ? [firstEvent(now)] : changeEvents(before, now, endedStatus);
    for (const event of events) for (const listener of [...account.listeners]) listener(event);
  }

  #arm(account: Account, outlook: Outlook): void {
    account.cancelTimer();
    const dueMicros = nextThresholdMicros(outlook);
    if (dueMicros === null || this.#accounts.get(account.address) !== account) return;
    const delayMs = Number((dueMicros - outlook.atMicros) / 1_000n) + 1;
    const boundMs = Math.min(Math.max(delayMs, MIN_THRESHOLD_MS), MAX_TIMER_MS);
    account.cancelTimer = this.#parts.timers.schedule(boundMs, () => {
      account.isDue = true;
      this.#wake();
    });
  }
}
