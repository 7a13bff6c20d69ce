import {
  type Envelope,
  ERROR_TABLE,
  type JsonValue,
  type MessageError,
  stringifyJson,
} from "@twentysix/protocol";
import type { RequeuedCopy, Waiting } from "@twentysix/state";
import { isLive } from "@twentysix/storage/writer";
import { candidateOf } from "./candidate-of.ts";
import { crowdedOut, MAX_CANDIDATES_PER_ITEM } from "./candidate-places.ts";
import { ensureItem, setIdleStatus } from "./idle-items.ts";
import { itemOf, type RecorderContext } from "./recorder-context.ts";
import { nextAttemptMicros } from "./retry-schedule.ts";
import { keepToPlaces } from "./sender-places.ts";
import type { Submission } from "./submission.ts";
import { isUndecided } from "./undecided-signatures.ts";

/** When a copy is tried again. */
interface QueuedState {
  readonly waits: readonly string[];
  readonly nextAttemptMicros: bigint | null;
  /** What was looked at where it was refused payment. */
  readonly paymentText?: string | null;
}

/** Copies that cannot be applied now and may be later: they wait for their turn, or for what they lack. */
export class WaitingCopies {
  readonly #context: RecorderContext;

  constructor(context: RecorderContext) {
    this.#context = context;
  }

  /** A copy that is tried again by and by. */
  retry(
    submission: Submission,
    envelope: Envelope,
    error: MessageError,
    { waits, isLackOfNode = false }: Pick<Waiting, "waits" | "isLackOfNode">,
  ): void {
    const { nowMicros, random, limits } = this.#context;
    const attempts = isLackOfNode
      ? Math.min(submission.attempts, limits.messageRetries - 1)
      : submission.attempts;
    const next = nextAttemptMicros(error.code, attempts, nowMicros, random, limits);
    this.queue(submission, envelope, error, { waits, nextAttemptMicros: next });
  }

  /** Keeps a copy for later: queued while `nextAttemptMicros` is set, else until something wakes it. */
  queue(submission: Submission, envelope: Envelope, error: MessageError, state: QueuedState): void {
    const { rules, writes, flush, world, answers } = this.#context;
    const hash = envelope.itemHash;
    const isNew = ensureItem(this.#context, hash, submission, "pending");
    if (rules.canonicalOrder && submission.message !== null) this.#announce(hash);
    writes.defer(() => this.#put(submission, envelope, error, { ...state, isNew }));
    // Whatever is judged next must see it.
    flush();
    world.index.candidates.unload(hash);
    answers.answer(
      submission,
      hash,
      state.nextAttemptMicros === null ? "rejected" : "pending",
      error,
      !isNew,
    );
  }

  /** A copy that the world sent back: judged again at once, or hidden behind a FORGET. */
  requeue(copy: RequeuedCopy): void {
    const { store, nowMicros, reader, writes, answers } = this.#context;
    const envelope = reader.envelope(copy.envelopeText);
    const reception = writes.receptionOf(copy.envelopeText);
    store.putCandidate(candidateOf(envelope, copy.envelopeText, copy.contentText, reception), {
      attempts: 0,
      nextAttemptMicros: copy.retained ? null : nowMicros,
      code: copy.retained ? ERROR_TABLE.FORGOTTEN_DUPLICATE.code : null,
      detailsText: null,
      paymentText: null,
      waits: [],
    });
    const isIdle = itemOf(this.#context, copy.hash)?.live === null;
    if (!copy.retained && isIdle) answers.change(copy.hash, "pending", null);
  }

  #put(
    submission: Submission,
    envelope: Envelope,
    error: MessageError,
    state: QueuedState & { readonly isNew: boolean },
  ): void {
    const { store, nowMicros } = this.#context;
    const hash = envelope.itemHash;
    const { nextAttemptMicros: next, waits, isNew, paymentText = null } = state;
    const candidate = candidateOf(
      envelope,
      submission.raw,
      submission.message?.contentText ?? null,
      submission,
    );
    const isSentAgain = submission.candidateId === null;
    if (next !== null && isSentAgain && store.touchQueued(candidate)) return;
    const isNews = next !== null || !isSentAgain || store.givenUpCode(candidate.identity) !== error.code;
    const attempts = submission.attempts + 1;
    const detailsText = error.details === null ? null : stringifyJson(error.details as JsonValue);
    store.putCandidate(candidate, {
      attempts,
      nextAttemptMicros: next,
      code: error.code,
      detailsText,
      paymentText,
      waits,
    });
    if (isSentAgain) this.#makeRoom(hash);
    if (isNew) store.appendEvent(hash, "received", submission.receptionMicros, { origin: submission.origin });
    const cause = { code: error.code, details: error.details, attempt: attempts };
    if (isNews) store.appendEvent(hash, next === null ? "rejected" : "retry", nowMicros, cause);
    setIdleStatus(this.#context, hash, error);
    // Its sender may know nothing of it.
    if (next !== null && isLive(submission.origin) && !isUndecided(error))
      keepToPlaces(this.#context, envelope.sender);
  }

  /** Wakes those FORGETs that wait for a message which need not be live to be forgotten. */
  #announce(hash: string): void {
    const item = itemOf(this.#context, hash);
    if (item?.live === null && item.forgotten === null) this.#context.world.wakes.add(`item:${hash}`);
  }

  /** Too many copies of one item wait: the least of them goes. */
  #makeRoom(hash: string): void {
    const { store, reader } = this.#context;
    if (store.countCandidates(hash).total <= MAX_CANDIDATES_PER_ITEM) return;
    store.deleteCandidate(crowdedOut(store.rivalCandidates(hash), reader).id);
  }
}
