import { type Clock, type Random, shuffled } from "@twentysix/platform";
import type { ContentSource } from "./content-source.ts";

/** A source that gave something wrong is asked for nothing for so long, for each time that it did. */
const DISTRUST_MS = 600_000;
const MAX_DISTRUST_MS = 24 * 3_600_000;
/** A source that broke off is asked after the others for so long, and twice as long each time. */
const LAST_MS = 60_000;
const MAX_LAST_MS = 3_600_000;
/** Sources that are remembered; those that were heard of least lately are forgotten first. */
const MAX_SOURCES = 4_000;
/** Answers within the same doubling of this are taken for equally quick. */
const QUICK_MS = 50;

interface Credit {
  readonly faults: number;
  readonly distrustedUntilMs: number;
  /** How long it took to answer, smoothed; null: it has not. */
  readonly answerMs: number | null;
  /** How often in a row it broke off. */
  readonly breaks: number;
  readonly lastUntilMs: number;
}

const UNKNOWN: Credit = { faults: 0, distrustedUntilMs: 0, answerMs: null, breaks: 0, lastUntilMs: 0 };

/** What sources have done so far: whom to ask first, and whom not. */
export class SourceCredit {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #random: Random;
  readonly #credits = new Map<string, Credit>();
  #faults = 0;

  readonly #onWrong: (name: string, hash: string) => void;

  /** @param onWrong told of each content that was not what was asked for, and whom by */
  constructor(
    clock: Pick<Clock, "monotonicMs">,
    random: Random,
    onWrong: (name: string, hash: string) => void = () => undefined,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#onWrong = onWrong;
  }

  /** Wrong answers of all sources since the start. */
  get faults(): number {
    return this.#faults;
  }

  faultsOf(name: string): number {
    return this.#of(name).faults;
  }

  /** It gave something else than what it was asked for by this name. */
  wrong(name: string, hash: string): void {
    this.#onWrong(name, hash);
    const credit = this.#of(name);
    this.#faults += 1;
    const forMs = Math.min(MAX_DISTRUST_MS, DISTRUST_MS * 2 ** credit.faults);
    const distrustedUntilMs = this.#clock.monotonicMs() + forMs;
    this.#put(name, { ...credit, faults: credit.faults + 1, distrustedUntilMs });
  }

  /** It began to give something, and did not end. */
  brokeOff(name: string): void {
    const credit = this.#of(name);
    const forMs = Math.min(MAX_LAST_MS, LAST_MS * 2 ** credit.breaks);
    const lastUntilMs = this.#clock.monotonicMs() + forMs;
    this.#put(name, { ...credit, breaks: Math.min(credit.breaks + 1, 20), lastUntilMs });
  }

  /** It gave what it was asked for. */
  gave(name: string): void {
    const credit = this.#of(name);
    if (credit.breaks > 0) this.#put(name, { ...credit, breaks: 0, lastUntilMs: 0 });
  }

  answered(name: string, afterMs: number): void {
    const credit = this.#of(name);
    const before = credit.answerMs ?? afterMs;
    this.#put(name, { ...credit, answerMs: before + (afterMs - before) / 4 });
  }

  isTrusted(name: string): boolean {
    return this.#of(name).distrustedUntilMs <= this.#clock.monotonicMs();
  }

  /** It has not broken off lately. */
  isSteady(name: string): boolean {
    return this.#of(name).lastUntilMs <= this.#clock.monotonicMs();
  }

  /** Those that are trusted, the quicker first, and by chance among equals; who broke off lately comes last. */
  inOrder<Source extends Pick<ContentSource, "name">>(sources: readonly Source[]): Source[] {
    const trusted = sources.filter(({ name }) => this.isTrusted(name));
    return shuffled(this.#random, trusted)
      .map((source) => ({ source, rank: this.#rank(source.name) }))
      .sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank))
      .map(({ source }) => source);
  }

  #rank(name: string): number {
    if (!this.isSteady(name)) return Number.POSITIVE_INFINITY;
    const { answerMs } = this.#of(name);
    return answerMs === null ? 0 : Math.max(0, Math.floor(Math.log2(answerMs / QUICK_MS)));
  }

  #of(name: string): Credit {
    return this.#credits.get(name) ?? UNKNOWN;
  }

  #put(name: string, credit: Credit): void {
    this.#credits.delete(name);
    this.#credits.set(name, credit);
    for (const oldest of this.#credits.keys()) {
      if (this.#credits.size <= MAX_SOURCES) return;
      this.#credits.delete(oldest);
    }
  }
}
