import type { Clock, Random } from "@twentysix/platform";
import { messageError, type NetworkLimits } from "@twentysix/protocol";
import {
  type BatchEntry,
  type ItemEvent,
  type Need,
  type Outcome,
  type PreparedMessage,
  type PriceCheck,
  type PriceListReader,
  readPrices,
  runBatch,
  type StateContext,
  type StateRules,
  sweepAccounts,
  touchConfirmed,
  World,
} from "@twentysix/state";
import type { Candidate, MessageStore } from "@twentysix/storage";
import type { CopyReader } from "../copy-reader.ts";
import { incompleteRules, isSubmitted } from "../submission-rules.ts";
import type { BatchReport, CopyJob, ItemChange, SideJob } from "./jobs.ts";
import { OutcomeRecorder } from "./outcome-recorder.ts";
import { type ContentSource, MAX_BATCH_CONTENT_BYTES, resolveContents } from "./resolve-content.ts";
import { confirmAccepted, confirmCopies, runSideJobs, sideWakes } from "./side-jobs.ts";
import type { Submission } from "./submission.ts";
import { isUndecided } from "./undecided-signatures.ts";

export interface BatchWriterOptions {
  readonly store: MessageStore;
  readonly rules: StateRules;
  /** The rules for copies that clients submitted; `rules` when not given. */
  readonly submissionRules?: StateRules;
  readonly limits: Pick<NetworkLimits, "messageRetries">;
  readonly reader: CopyReader;
  readonly contents: ContentSource;
  /** Contents of one batch together (default 16 MiB). */
  readonly maxContentBytes?: number;
  /** Stored texts that the copies of one batch are judged by (default 32 Mi characters). */
  readonly maxFactCharacters?: number;
  readonly priceCheck: PriceCheck;
  /** Reads the price aggregates; needed where the rules keep a ledger. */
  readonly priceLists: Pick<PriceListReader, "lists" | "forget">;
  readonly clock: Clock;
  readonly random: Random;
}

/** A field that a short message changes may be long, and so may the delegations of an owner. */
const MAX_FACT_CHARACTERS = 32 * 1024 * 1024;

/** What one batch is made of. */
export interface BatchInput {
  readonly sideJobs: readonly SideJob[];
  readonly copies: readonly CopyJob[];
  readonly candidates: readonly Candidate[];
}

/** What was committed, and what is for the next batch. */
export interface WrittenBatch extends BatchReport {
  /** Copies, in their order, whose contents or facts would have been too much for one batch. */
  readonly left: readonly CopyJob[];
}

/**
 * Judges and applies a batch of copies in one transaction: facts are prefetched, the changes computed, priced
 * and written, the outbox appended, and all of it committed with one sync. What fails rolls the whole batch back
 * and is thrown: a defect must not lose or half-apply anything.
 */
export class BatchWriter {
  readonly #options: BatchWriterOptions;

  /** What copies are judged by at present. */
  #rules: { readonly rules: StateRules; readonly submissionRules: StateRules };
  #workMs = 0;
  #commitMs = 0;

  /** How long the last batch worked before its commit. */
  get workMs(): number {
    return this.#workMs;
  }

  /** How long the commit of the last batch took, its sync included. */
  get commitMs(): number {
    return this.#commitMs;
  }

  constructor(options: BatchWriterOptions) {
    this.#options = options;
    const { rules, submissionRules = rules } = options;
    this.#rules = { rules, submissionRules };
  }

  /** Tells whether this node has what its peers have: as long as it has not, nothing is refused for want of funds. */
  knowsAll(isComplete: boolean): void {
    const { rules, submissionRules = rules } = this.#options;
    this.#rules = isComplete
      ? { rules, submissionRules }
      : { rules: incompleteRules(rules), submissionRules: incompleteRules(submissionRules) };
  }

  async write(input: BatchInput): Promise<WrittenBatch> {
    const { store, reader, contents, clock, maxContentBytes = MAX_BATCH_CONTENT_BYTES } = this.#options;
    const nowMicros = clock.nowMicros();
    const submissions = await resolveContents(input, reader, contents, maxContentBytes);
    const startedMs = clock.monotonicMs();
    store.begin();
    try {
      const confirmed = runSideJobs(store, input.sideJobs, nowMicros);
      for (const each of confirmCopies(store, input.copies)) confirmed.push(each);
      const report = await this.#applyCopies(submissions, nowMicros, input.sideJobs, confirmed);
      confirmAccepted(store, input.copies, report.results);
      store.finish();
      const workedMs = clock.monotonicMs();
      store.commit();
      this.#workMs = workedMs - startedMs;
      this.#commitMs = clock.monotonicMs() - workedMs;
      const { takenCopies, ...rest } = report;
      const left = input.copies.slice(takenCopies);
      return { ...rest, sideJobs: input.sideJobs.map((job) => job.jobId), left };
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  /** Reads the prices in force, so that they are known by name before anything is priced by them. */
  async announcePrices(): Promise<void> {
    const { store, clock, rules } = this.#options;
    if (rules.ledger === null) return;
    await this.#inTransaction(async () => {
      const world = new World();
      await readPrices(world, this.#contextOf(clock.nowMicros()), (needs) => {
        store.fetch(world, needs, () => undefined);
        return undefined;
      });
    });
  }

  /** Decides in one transaction which messages these accounts can pay for. */
  async sweep(owners: readonly string[]): Promise<BatchReport> {
    const { store, clock } = this.#options;
    const nowMicros = clock.nowMicros();
    const world = new World();
    const changes: ItemChange[] = [];
    const save = (): void => {
      for (const { hash, kind } of world.events) changes.push(fundsChange(hash, kind));
      store.save(world, {
        nowMicros,
        originOf: () => ({ origin: "p2p", receptionMicros: nowMicros }),
        requeue,
      });
    };
    await this.#inTransaction(async () => {
      await sweepAccounts(world, this.#contextOf(nowMicros), owners, (needs) => {
        store.fetch(world, needs, save);
        return undefined;
      });
      save();
    });
    return { results: [], changes, sideJobs: [], processed: 0, woken: 0 };
  }

  async #inTransaction(work: () => Promise<void>): Promise<void> {
    const { store } = this.#options;
    store.begin();
    try {
      await work();
      store.finish();
      store.commit();
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    this.#options.store.rollBack();
    this.#options.priceLists.forget();
  }

  /** What its decisions are made with, at this moment. */
  context(): StateContext {
    return this.#contextOf(this.#options.clock.nowMicros());
  }

  #contextOf(nowMicros: bigint): StateContext {
    const { rules, reader, priceCheck, priceLists } = this.#options;
    return {
      rules,
      nowMicros,
      priceCheck,
      priceLists: (pricing, settings) => priceLists.lists(pricing, settings),
      readTyped: (message) => reader.typed(message),
      prepare: (envelopeText, contentText) => reader.prepare(envelopeText, contentText),
    };
  }

  /** Queues a copy that made the rules throw as an internal error (-1), to be tried again later. */
  async setAside(culprit: CopyJob | Candidate, sideJobs: readonly SideJob[]): Promise<BatchReport> {
    const input =
      "copy" in culprit
        ? { sideJobs, copies: [culprit], candidates: [] }
        : { sideJobs, copies: [], candidates: [culprit] };
    const nothing = { read: async () => null };
    const submissions = await resolveContents(input, this.#options.reader, nothing, 1);
    const error = messageError("INTERNAL_ERROR", null);
    const { store, clock } = this.#options;
    const nowMicros = clock.nowMicros();
    store.begin();
    try {
      runSideJobs(store, sideJobs, nowMicros);
      confirmCopies(store, input.copies);
      const world = new World();
      const { reader, random, rules, limits } = this.#options;
      const recorder = new OutcomeRecorder({ store, world, reader, rules, limits, nowMicros, random });
      for (const submission of submissions) {
        // What nobody has vouched for stays so.
        const reason = isUndecided(submission.error) ? submission.error : error;
        recorder.recordUnjudged({ ...submission, message: null, error: reason });
      }
      recorder.flush();
      store.finish();
      store.commit();
      return { ...recorder.report(), woken: 0, sideJobs: sideJobs.map((job) => job.jobId) };
    } catch (failure) {
      store.rollBack();
      throw failure;
    }
  }

  async #applyCopies(
    submissions: readonly Submission[],
    nowMicros: bigint,
    sideJobs: readonly SideJob[],
    confirmed: readonly string[],
  ): Promise<Omit<BatchReport, "sideJobs"> & { readonly takenCopies: number }> {
    const { store, reader } = this.#options;
    const { maxFactCharacters = MAX_FACT_CHARACTERS } = this.#options;
    if (submissions.length + confirmed.length === 0) {
      const woken = store.wake(new Set(sideWakes(sideJobs)), nowMicros);
      return { results: [], changes: [], processed: 0, woken, takenCopies: 0 };
    }
    const { rules, submissionRules } = this.#rules;
    const world = new World();
    const context = this.#contextOf(nowMicros);
    const recorder = new OutcomeRecorder({
      store,
      world,
      reader,
      rules,
      limits: this.#options.limits,
      nowMicros,
      random: this.#options.random,
    });
    const judgeable = submissions.filter(({ message }) => message !== null);
    const entries = judgeable.flatMap((submission): BatchEntry[] => {
      const itsRules = isSubmitted(submission.origin) ? submissionRules : rules;
      return entryOf(submission, itsRules, recorder, store);
    });
    for (const submission of submissions) recorder.expect(submission);
    const fetch = (needs: readonly Need[]): undefined => {
      store.fetch(world, needs, () => recorder.flush());
    };
    await touchConfirmed(world, context, confirmed, fetch);
    const judged = await runBatch(world, context, entries, fetch, maxFactCharacters);
    const firstLeft = judgeable[judged];
    const taken =
      firstLeft === undefined ? submissions : submissions.slice(0, submissions.indexOf(firstLeft));
    for (const submission of taken) {
      if (submission.message === null) recorder.recordUnjudged(submission);
    }
    recorder.flush();
    const woken = store.wake(new Set([...world.wakes, ...sideWakes(sideJobs)]), nowMicros);
    const takenCopies = taken.filter(({ jobId }) => jobId !== null).length;
    return { ...recorder.report(), woken, takenCopies };
  }
}

/** Sweeping sends no copy back to the queue. */
function requeue(): never {
  throw new Error("A sweep queued a copy");
}

function fundsChange(hash: string, kind: ItemEvent["kind"]): ItemChange {
  if (kind === "removing" || kind === "removed") return { itemHash: hash, status: kind, error: null };
  return { itemHash: hash, status: "processed", error: null };
}

function entryOf(
  submission: Submission,
  rules: StateRules,
  recorder: OutcomeRecorder,
  store: Pick<MessageStore, "confirmedMicros">,
): BatchEntry[] {
  const message: PreparedMessage | null = submission.message;
  if (message === null) return [];
  return [
    {
      message,
      rules,
      observedMicros: store.confirmedMicros(message.envelope.itemHash) ?? submission.receptionMicros,
      ...(submission.skeletons === undefined ? {} : { skeletons: submission.skeletons }),
      onOutcome: (outcome: Exclude<Outcome, { kind: "need" }>) => recorder.record(submission, outcome),
    },
  ];
}
