import type { Clock } from "@twentysix/platform";
import type { Execution } from "./execution.ts";
import type { ExecutionStore } from "./execution-store.ts";
import type { Fences } from "./fences.ts";

/** Written to the disk at most so often: a restart then knows how long nobody could speak to this node. */
const PERSIST_MS = 5_000;

/** Who has spoken to this node, or answered it. */
export type ContactSource = "scheduler" | "core-node";

const SOURCES: readonly ContactSource[] = ["scheduler", "core-node"];

/**
 * Who could start a machine elsewhere, and so must have spoken to this node lately. A program that a scheduler has
 * placed may run elsewhere within a minute, also where that scheduler says nothing of it. Everything else is moved by
 * hand or with its disk, or as the scheduler says (`Fences`): it must not end because a scheduler does.
 */
export function contactsThatCount({
  kind,
  source,
}: Pick<Execution, "kind" | "source">): readonly ContactSource[] {
  return kind === "program" && source === "scheduler" ? ["scheduler"] : SOURCES;
}

type Leased = Pick<Execution, "vmHash" | "kind" | "source">;

/**
 * Proof that this node is still the one to run its machines: somebody who can move them has spoken to it, or it has
 * reached a core node. A lease is renewed only while the last proof is younger than `maxAgeMs`, and the scheduler of a
 * machine that may start elsewhere was not silent for too long (decision 25).
 */
export class ContactProof {
  readonly #clock: Clock;
  readonly #store: Pick<ExecutionStore, "fact" | "setFact">;
  readonly #maxAgeMs: number;
  readonly #fences: Fences;
  readonly #marks: Readonly<Record<ContactSource, ContactMark>>;

  constructor(
    store: Pick<ExecutionStore, "fact" | "setFact">,
    clock: Clock,
    maxAgeMs: number,
    fences: Fences,
  ) {
    this.#store = store;
    this.#fences = fences;
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
    this.#marks = { scheduler: this.#markOf("scheduler"), "core-node": this.#markOf("core-node") };
  }

  /** Tells of a proof that was obtained just now. */
  note(by: ContactSource): void {
    const mark = this.#marks[by];
    const nowMs = this.#clock.monotonicMs();
    mark.lastMonotonicMs = nowMs;
    if (nowMs - mark.persistedMonotonicMs < PERSIST_MS) return;
    mark.persistedMonotonicMs = nowMs;
    try {
      this.#store.setFact(factOf(by), String(this.#wallMs()));
    } catch {
      // A disk that is full: the proof itself stands. Only the next process would not know of it, and take it for older.
    }
  }

  /** Since the last proof in this process; null: there was none. */
  ageMs(by: ContactSource): number | null {
    const { lastMonotonicMs } = this.#marks[by];
    return lastMonotonicMs === null ? null : this.#clock.monotonicMs() - lastMonotonicMs;
  }

  isFreshFor(execution: Leased): boolean {
    const maxSilenceMs = this.#fences.maxSilenceMs(execution.vmHash);
    if (maxSilenceMs !== null && !this.#spokeWithin("scheduler", maxSilenceMs)) return false;
    return contactsThatCount(execution).some((by) => this.#spokeWithin(by, this.#maxAgeMs));
  }

  /**
   * Whether nobody can have started a machine since this node had a proof, in this process or the one before it.
   *
   * @param ms how long that is where its scheduler says nothing of it
   */
  isStillOurs(ms: number, execution: Leased): boolean {
    const maxAbsenceMs = this.#fences.maxAbsenceMs(execution.vmHash);
    if (maxAbsenceMs !== null) return this.#wasHeardWithin("scheduler", maxAbsenceMs);
    return contactsThatCount(execution).some((by) => this.#wasHeardWithin(by, ms));
  }

  #spokeWithin(by: ContactSource, ms: number): boolean {
    const { lastMonotonicMs } = this.#marks[by];
    return lastMonotonicMs !== null && this.#clock.monotonicMs() - lastMonotonicMs <= ms;
  }

  #wasHeardWithin(by: ContactSource, ms: number): boolean {
    const { earlierMs } = this.#marks[by];
    const isRecent = earlierMs !== null && Math.abs(this.#wallMs() - earlierMs) <= ms;
    return isRecent || this.#spokeWithin(by, ms);
  }

  #markOf(by: ContactSource): ContactMark {
    const earlier = Number(this.#store.fact(factOf(by)) ?? Number.NaN);
    return {
      lastMonotonicMs: null,
      persistedMonotonicMs: Number.NEGATIVE_INFINITY,
      earlierMs: Number.isFinite(earlier) ? earlier : null,
    };
  }

  #wallMs(): number {
    return Number(this.#clock.nowMicros() / 1_000n);
  }
}

interface ContactMark {
  lastMonotonicMs: number | null;
  persistedMonotonicMs: number;
  /** Of the process before this one; null: there was none. */
  readonly earlierMs: number | null;
}

const factOf = (by: ContactSource): string => `last-contact-ms:${by}`;
