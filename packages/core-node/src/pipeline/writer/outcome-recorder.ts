import { type Envelope, isRetryable, type MessageError } from "@twentysix/protocol";
import { type Outcome, type Refused, refusalOfForgotten } from "@twentysix/state";
import { paymentRecordText } from "../../ledger/payment-record.ts";
import { BatchAnswers } from "./batch-answers.ts";
import { BatchWrites } from "./batch-writes.ts";
import { copyIdentity, rawIdentity } from "./candidate-of.ts";
import type { BatchReport } from "./jobs.ts";
import { itemOf, type RecorderContext, type RecorderOptions } from "./recorder-context.ts";
import { refuseCopy } from "./refused-copies.ts";
import type { Submission } from "./submission.ts";
import { isUndecided, refuseCrowded } from "./undecided-signatures.ts";
import { WaitingCopies } from "./waiting-copies.ts";

/**
 * Turns outcomes into rows: candidates that wait, refusals, statuses, events; and into the answers for those
 * who submitted. A copy that fails never changes the status of a message that another copy carries.
 */
export class OutcomeRecorder {
  readonly #context: RecorderContext;
  readonly #waiting: WaitingCopies;

  constructor(options: RecorderOptions) {
    const { store, world, nowMicros } = options;
    const answers = new BatchAnswers();
    const writes = new BatchWrites(store, world, nowMicros);
    this.#context = { ...options, answers, writes, flush: () => this.flush() };
    this.#waiting = new WaitingCopies(this.#context);
  }

  /** Remembers how a copy came in, for when it is stored. */
  expect(submission: Submission): void {
    this.#context.writes.expect(submission);
  }

  /** Records what became of a copy that was judged. */
  record(submission: Submission, outcome: Exclude<Outcome, { kind: "need" }>): void {
    const { answers } = this.#context;
    const message = submission.message;
    if (message === null) throw new Error("A copy without content was judged");
    const hash = message.envelope.itemHash;
    switch (outcome.kind) {
      case "processed":
        this.#settle(submission, hash);
        answers.change(hash, "processed", null);
        this.#wakeOtherCopies(hash);
        answers.answer(submission, hash, "processed", null, false);
        break;
      case "confirmed":
        this.#settle(submission, hash);
        answers.answer(submission, hash, itemOf(this.#context, hash)?.status ?? "processed", null, true);
        break;
      case "forgotten":
        if (!outcome.retained) this.#settle(submission, hash);
        answers.change(hash, "forgotten", null);
        answers.answer(submission, hash, "forgotten", null, true);
        break;
      case "removed":
        this.#settle(submission, hash);
        answers.answer(submission, hash, "removed", null, true);
        break;
      case "wait":
        this.#waiting.retry(submission, message.envelope, outcome.error, outcome);
        break;
      case "reject":
        this.#reject(submission, message.envelope, outcome);
        break;
    }
  }

  /** Records a copy that could not be judged: malformed, or its content is missing. */
  recordUnjudged(submission: Submission): void {
    const { answers, store, world, flush } = this.#context;
    const { envelope, error } = submission;
    if (error === null) throw new Error("A copy without content has no reason for it");
    const hash = envelope?.itemHash ?? submission.itemHash ?? null;
    if (hash === null) {
      answers.push(submission, { itemHash: null, status: "rejected", refused: true, known: false }, error);
      return;
    }
    store.fetch(world, [{ table: "items", key: hash }], flush);
    if (this.#isPastForgetting(hash)) this.#recordForgotten(submission, hash);
    else if (envelope !== null && isUndecided(error)) {
      if (refuseCrowded(this.#context, submission, hash)) return;
      this.#waiting.retry(submission, envelope, error, { waits: [], isLackOfNode: true });
    } else if (envelope !== null && isRetryable(error)) {
      this.#waiting.retry(submission, envelope, error, { waits: [`file:${hash}`] });
    } else {
      const { candidateId } = submission;
      if (candidateId !== null) this.#context.writes.defer(() => store.deleteCandidate(candidateId));
      const identity = envelope === null ? rawIdentity(submission.raw) : copyIdentity(envelope);
      refuseCopy(this.#context, submission, hash, identity, error);
    }
  }

  /** Writes everything so far, so that look-ups see it. */
  flush(): void {
    this.#context.writes.flush((copy) => this.#waiting.requeue(copy));
  }

  report(): Omit<BatchReport, "sideJobs" | "woken"> {
    return this.#context.answers.report();
  }

  /** The message is forgotten for good, so that a copy of it is not even fetched any more. */
  #isPastForgetting(hash: string): boolean {
    const { store, world, flush } = this.#context;
    if (!itemOf(this.#context, hash)?.forgotten) return false;
    store.fetch(world, [{ table: "candidates", key: hash }], flush);
    return !world.isRetained(hash);
  }

  #recordForgotten(submission: Submission, hash: string): void {
    const { envelope } = submission;
    const refusal = envelope === null ? null : this.#refusalOfForgotten(hash, envelope);
    if (envelope !== null && refusal !== null) {
      this.#reject(submission, envelope, { kind: "reject", error: refusal, waits: [] });
      return;
    }
    this.#settle(submission, hash);
    this.#context.answers.answer(submission, hash, "forgotten", null, true);
  }

  #refusalOfForgotten(hash: string, envelope: Envelope): MessageError | null {
    const forgotten = itemOf(this.#context, hash)?.forgotten ?? null;
    if (forgotten === null || this.#context.rules.canonicalOrder) return null;
    return refusalOfForgotten(envelope, forgotten);
  }

  /** A copy that found its end leaves the queue. */
  #settle({ candidateId, envelope, raw }: Submission, hash: string): void {
    const { world, writes, store, nowMicros } = this.#context;
    world.index.candidates.unload(hash);
    if (candidateId !== null) writes.defer(() => store.deleteCandidate(candidateId));
    else if (envelope !== null && this.#isStored(hash)) {
      writes.defer(() => store.settleCandidate(copyIdentity(envelope), raw, nowMicros));
    }
  }

  #wakeOtherCopies(hash: string): void {
    const { writes, store, nowMicros } = this.#context;
    if (this.#isStored(hash)) writes.defer(() => store.wakeCopies(hash, nowMicros));
  }

  #isStored(hash: string): boolean {
    return this.#context.store.session.findItem(hash) !== null;
  }

  #reject(submission: Submission, envelope: Envelope, refused: Refused): void {
    const { rules, writes, store, nowMicros } = this.#context;
    const { error, waits } = refused;
    const paymentText = paymentRecordText(refused, nowMicros);
    // Under canonical order a FORGET holds for it, and the reason for refusing it may go.
    if (waits.length > 0 || rules.canonicalOrder) {
      this.#waiting.queue(submission, envelope, error, { waits, nextAttemptMicros: null, paymentText });
      return;
    }
    const { candidateId } = submission;
    if (candidateId !== null) writes.defer(() => store.deleteCandidate(candidateId));
    refuseCopy(this.#context, submission, envelope.itemHash, copyIdentity(envelope), error, paymentText);
  }
}
