import type { Random } from "@twentysix/platform";
import {
  type Envelope,
  ERROR_TABLE,
  errorOfCode,
  isRetryable,
  type JsonValue,
  type MessageError,
  type NetworkLimits,
  stringifyJson,
} from "@twentysix/protocol";
import {
  type ItemFact,
  type Outcome,
  type PreparedMessage,
  type RequeuedCopy,
  refusalOfForgotten,
  type Skeleton,
  type StateRules,
  type World,
} from "@twentysix/state";
import type { MessageStore, Origin } from "@twentysix/storage";
import type { CopyReader } from "../copy-reader.ts";
import { candidateOf, copyIdentity, rawIdentity } from "./candidate-of.ts";
import { crowdedOut, MAX_CANDIDATES_PER_ITEM } from "./candidate-places.ts";
import type { BatchReport, CopyResult, ItemChange } from "./jobs.ts";
import { nextAttemptMicros } from "./retry-schedule.ts";

/** One copy of a batch, with whatever is known of it. */
export interface Submission {
  /** null for a candidate that is tried again. */
  readonly jobId: number | null;
  readonly candidateId: number | null;
  readonly origin: Origin;
  readonly receptionMicros: bigint;
  /** Earlier failures of this copy. */
  readonly attempts: number;
  /** null when the copy cannot be judged: see `error`. */
  readonly message: PreparedMessage | null;
  readonly envelope: Envelope | null;
  /** Given when there is no envelope. */
  readonly itemHash?: string | null;
  readonly raw: string;
  readonly error: MessageError | null;
  /** Beside a FORGET: see `CopyJob`. */
  readonly skeletons?: readonly Skeleton[];
}

export interface RecorderOptions {
  readonly store: MessageStore;
  readonly world: World;
  readonly reader: CopyReader;
  readonly rules: Pick<StateRules, "canonicalOrder">;
  readonly limits: Pick<NetworkLimits, "messageRetries">;
  readonly nowMicros: bigint;
  readonly random: Random;
}

/** Longest raw text kept of a refused copy. */
const MAX_RAW_CHARACTERS = 65_536;

/**
 * Turns outcomes into rows: candidates that wait, refusals, statuses, events; and into the answers for those
 * who submitted. A copy that fails never changes the status of a message that another copy carries.
 */
export class OutcomeRecorder {
  readonly #options: RecorderOptions;
  readonly #origins = new Map<string, Submission>();
  readonly #results: CopyResult[] = [];
  readonly #changes: ItemChange[] = [];
  #deferred: (() => void)[] = [];
  #processed = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Remembers how a copy came in, for when it is stored. */
  expect(submission: Submission): void {
    this.#origins.set(submission.raw, submission);
  }

  /** Records what became of a copy that was judged. */
  record(submission: Submission, outcome: Exclude<Outcome, { kind: "need" }>): void {
    const message = submission.message;
    if (message === null) throw new Error("A copy without content was judged");
    const hash = message.envelope.itemHash;
    switch (outcome.kind) {
      case "processed":
        this.#processed += 1;
        this.#settle(submission, hash);
        this.#change(hash, "processed", null);
        if (this.#isStored(hash)) {
          this.#deferred.push(() => this.#options.store.wakeCopies(hash, this.#options.nowMicros));
        }
        this.#answer(submission, hash, "processed", null, false);
        break;
      case "confirmed":
        this.#settle(submission, hash);
        this.#answer(submission, hash, this.#item(hash)?.status ?? "processed", null, true);
        break;
      case "forgotten":
        if (!outcome.retained) this.#settle(submission, hash);
        this.#change(hash, "forgotten", null);
        this.#answer(submission, hash, "forgotten", null, true);
        break;
      case "removed":
        this.#settle(submission, hash);
        this.#answer(submission, hash, "removed", null, true);
        break;
      case "wait":
        this.#wait(submission, message.envelope, outcome.error, outcome.waits);
        break;
      case "reject":
        this.#reject(submission, message.envelope, outcome.error, outcome.waits);
        break;
    }
  }

  /** Records a copy that could not be judged: malformed, or its content is missing. */
  recordUnjudged(submission: Submission): void {
    const { envelope, error } = submission;
    if (error === null) throw new Error("A copy without content has no reason for it");
    const hash = envelope?.itemHash ?? submission.itemHash ?? null;
    if (hash === null) {
      this.#push(submission, { itemHash: null, status: "rejected", refused: true, known: false }, error);
      return;
    }
    const { store, world } = this.#options;
    store.fetch(world, [{ table: "items", key: hash }], () => this.flush());
    if (this.#isPastForgetting(hash)) {
      const refusal = this.#refusalOfForgotten(hash, envelope);
      if (refusal !== null && envelope !== null) {
        this.#reject(submission, envelope, refusal, []);
        return;
      }
      this.#settle(submission, hash);
      this.#answer(submission, hash, "forgotten", null, true);
      return;
    }
    if (envelope !== null && isRetryable(error)) {
      this.#wait(submission, envelope, error, [`file:${hash}`]);
    } else {
      this.#refuse(
        submission,
        hash,
        envelope === null ? rawIdentity(submission.raw) : copyIdentity(envelope),
        error,
      );
    }
  }

  /** The message is forgotten for good, so that a copy of it is not even fetched any more. */
  #isPastForgetting(hash: string): boolean {
    const { store, world } = this.#options;
    if (!this.#item(hash)?.forgotten) return false;
    store.fetch(world, [{ table: "candidates", key: hash }], () => this.flush());
    return !world.isRetained(hash);
  }

  #refusalOfForgotten(hash: string, envelope: Envelope | null): MessageError | null {
    const forgotten = this.#item(hash)?.forgotten ?? null;
    if (envelope === null || forgotten === null || this.#options.rules.canonicalOrder) return null;
    return refusalOfForgotten(envelope, forgotten);
  }

  /** Writes everything so far, so that look-ups see it. */
  flush(): void {
    const { store, world, nowMicros } = this.#options;
    do {
      store.save(world, {
        nowMicros,
        originOf: (text) => this.#originOf(text),
        requeue: (copy) => this.#requeue(copy),
      });
      const deferred = this.#deferred;
      this.#deferred = [];
      for (const write of deferred) write();
    } while (world.isDirty || this.#deferred.length > 0);
  }

  report(): Omit<BatchReport, "sideJobs" | "woken"> {
    return { results: this.#results, changes: this.#changes, processed: this.#processed };
  }

  #originOf(envelopeText: string): { origin: Origin; receptionMicros: bigint } {
    const submission = this.#origins.get(envelopeText);
    if (submission === undefined) return { origin: "p2p", receptionMicros: this.#options.nowMicros };
    return { origin: submission.origin, receptionMicros: submission.receptionMicros };
  }

  #item(hash: string): ItemFact | null {
    return this.#options.world.facts.items.get(hash);
  }

  /** A copy that found its end leaves the queue. */
  #settle(submission: Submission, hash: string): void {
    const { candidateId } = submission;
    this.#options.world.index.candidates.unload(hash);
    if (candidateId !== null) this.#deferred.push(() => this.#options.store.deleteCandidate(candidateId));
    else if (this.#isStored(hash)) this.#deferred.push(() => this.#dropSameCandidate(submission));
  }

  #isStored(hash: string): boolean {
    return this.#options.store.session.findItem(hash) !== null;
  }

  #dropSameCandidate(submission: Submission): void {
    const { envelope, raw } = submission;
    const { store, nowMicros } = this.#options;
    if (envelope !== null) store.settleCandidate(copyIdentity(envelope), raw, nowMicros);
  }

  #wait(submission: Submission, envelope: Envelope, error: MessageError, waits: readonly string[]): void {
    const next = nextAttemptMicros(
      error.code,
      submission.attempts,
      this.#options.nowMicros,
      this.#options.random,
      this.#options.limits,
    );
    this.#queue(submission, envelope, error, { waits, nextAttemptMicros: next });
  }

  #reject(submission: Submission, envelope: Envelope, error: MessageError, waits: readonly string[]): void {
    // Under canonical order a FORGET holds for it, and the reason for refusing it may go.
    if (waits.length > 0 || this.#options.rules.canonicalOrder) {
      this.#queue(submission, envelope, error, { waits, nextAttemptMicros: null });
      return;
    }
    const { candidateId } = submission;
    if (candidateId !== null) this.#deferred.push(() => this.#options.store.deleteCandidate(candidateId));
    this.#refuse(submission, envelope.itemHash, copyIdentity(envelope), error);
  }

  /** Keeps a copy for later: queued while `nextAttemptMicros` is set, else until something wakes it. */
  #queue(
    submission: Submission,
    envelope: Envelope,
    error: MessageError,
    state: { readonly waits: readonly string[]; readonly nextAttemptMicros: bigint | null },
  ): void {
    const { store, nowMicros } = this.#options;
    const hash = envelope.itemHash;
    const isNew = this.#ensureItem(hash, submission, "pending");
    const contentText = submission.message?.contentText ?? null;
    const candidate = candidateOf(envelope, submission.raw, contentText, submission);
    const detailsText = error.details === null ? null : stringifyJson(error.details as JsonValue);
    if (this.#options.rules.canonicalOrder && submission.message !== null) this.#announce(hash);
    const isWaiting = state.nextAttemptMicros !== null;
    this.#deferred.push(() => {
      const isSentAgain = submission.candidateId === null;
      if (isWaiting && isSentAgain && store.touchQueued(candidate)) return;
      const isNews = isWaiting || !isSentAgain || store.givenUpCode(candidate.identity) !== error.code;
      store.putCandidate(candidate, {
        attempts: submission.attempts + 1,
        nextAttemptMicros: state.nextAttemptMicros,
        code: error.code,
        detailsText,
        waits: state.waits,
      });
      if (isSentAgain) this.#makeRoom(hash);
      if (isNew)
        store.appendEvent(hash, "received", submission.receptionMicros, { origin: submission.origin });
      const cause = { code: error.code, details: error.details, attempt: submission.attempts + 1 };
      if (isNews) store.appendEvent(hash, isWaiting ? "retry" : "rejected", nowMicros, cause);
      this.#setIdleStatus(hash, error);
    });
    // Whatever is judged next must see it.
    this.flush();
    this.#options.world.index.candidates.unload(hash);
    this.#answer(submission, hash, isWaiting ? "pending" : "rejected", error, !isNew);
  }

  /** Wakes those FORGETs that wait for a message which need not be live to be forgotten. */
  #announce(hash: string): void {
    const item = this.#item(hash);
    if (item?.live === null && item.forgotten === null) this.#options.world.wakes.add(`item:${hash}`);
  }

  /** Too many copies of one item wait: the least of them goes. */
  #makeRoom(hash: string): void {
    const { store, reader } = this.#options;
    if (store.countCandidates(hash).total <= MAX_CANDIDATES_PER_ITEM) return;
    store.deleteCandidate(crowdedOut(store.rivalCandidates(hash), reader).id);
  }

  /** Records a copy that can never be valid, beside whatever else is known of its hash. */
  #refuse(submission: Submission, hash: string, identity: Uint8Array, error: MessageError): void {
    const isNew = this.#ensureItem(hash, submission, "rejected");
    this.#deferred.push(() => {
      // Of what is forgotten by now nothing is kept, not even of a copy that nobody signed.
      if (!this.#item(hash)?.forgotten) this.#keepRefusal(submission.raw, hash, identity, error);
      this.#setIdleStatus(hash, error);
    });
    this.#push(
      submission,
      {
        itemHash: hash,
        status: "rejected",
        refused: submission.message === null || error.code <= 1,
        known: !isNew,
      },
      error,
    );
  }

  #keepRefusal(raw: string, hash: string, identity: Uint8Array, error: MessageError): void {
    const { store, nowMicros } = this.#options;
    const isNews = store.putRefusal({
      hash,
      identity,
      raw: raw.slice(0, MAX_RAW_CHARACTERS),
      code: error.code,
      detailsText: error.details === null ? null : stringifyJson(error.details as JsonValue),
      atMicros: nowMicros,
    });
    // The log tells of a refusal once, however often the copy is sent.
    if (isNews) store.appendEvent(hash, "rejected", nowMicros, { code: error.code, details: error.details });
  }

  /** Gives a hash that this node never met its row; true when it had none. */
  #ensureItem(hash: string, submission: Submission, status: "pending" | "rejected"): boolean {
    const { world } = this.#options;
    if (world.facts.items.get(hash) !== null) return false;
    world.facts.items.set(hash, {
      status,
      receptionMicros: submission.receptionMicros,
      live: null,
      forgotten: null,
    });
    return true;
  }

  /** The status of an item that is neither live nor forgotten: pending while any copy of it is queued. */
  #setIdleStatus(hash: string, error: MessageError | null): void {
    const { store, world } = this.#options;
    const item = world.facts.items.get(hash);
    if (item === null || item.live !== null || item.forgotten !== null) return;
    const status = store.countCandidates(hash).queued > 0 ? "pending" : "rejected";
    if (item.status !== status) world.facts.items.set(hash, { ...item, status });
    this.#change(hash, status, status === "rejected" ? error : null);
  }

  #requeue(copy: RequeuedCopy): void {
    const { store, nowMicros, reader } = this.#options;
    const candidate = candidateOf(
      reader.envelope(copy.envelopeText),
      copy.envelopeText,
      copy.contentText,
      this.#originOf(copy.envelopeText),
    );
    store.putCandidate(candidate, {
      attempts: 0,
      nextAttemptMicros: copy.retained ? null : nowMicros,
      code: copy.retained ? ERROR_TABLE.FORGOTTEN_DUPLICATE.code : null,
      detailsText: null,
      waits: [],
    });
    if (!copy.retained && this.#item(copy.hash)?.live === null) this.#change(copy.hash, "pending", null);
  }

  #change(itemHash: string, status: ItemChange["status"], error: MessageError | null): void {
    this.#changes.push({ itemHash, status, error });
  }

  #answer(
    submission: Submission,
    itemHash: string,
    status: CopyResult["status"],
    error: MessageError | null,
    known: boolean,
  ): void {
    this.#push(submission, { itemHash, status, refused: false, known }, error);
  }

  #push(
    submission: Submission,
    answer: Pick<CopyResult, "itemHash" | "status" | "refused" | "known">,
    error: MessageError | null,
  ): void {
    if (submission.jobId === null) return;
    const { jobId } = submission;
    if (error === null) this.#results.push({ jobId, ...answer });
    else {
      this.#results.push({
        jobId,
        ...answer,
        errorCode: error.code,
        errorText: errorOfCode(error.code)?.text ?? error.name,
        details: error.details as JsonValue,
      });
    }
  }
}
