import type { Clock, Logger, Random } from "@twentysix/platform";
import { errorOfCode } from "@twentysix/protocol";
import type { PreparedMessage, PriceListReader, StateRules } from "@twentysix/state";
import { type MessageStore, type SqlConnection, STATUSES } from "@twentysix/storage";
import { BatchWriter } from "../pipeline/writer/batch-writer.ts";
import type { CopyJob } from "../pipeline/writer/jobs.ts";
import { restsOnForgotten, withForgottenElements } from "./forgotten-grounds.ts";
import { Problems } from "./problems.ts";
import { type CopyChecks, readCopies } from "./read-copies.ts";
import { messagesInProcessingOrder, storedMessage } from "./stored-messages.ts";

export interface ReplayOptions extends CopyChecks {
  readonly stored: SqlConnection;
  readonly computed: MessageStore;
  readonly rules: StateRules;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const BATCH = 256;
const PROGRESS_EVERY = 100_000;

/**
 * Feeds all live messages, in the order in which they were processed, to a writer over a database that holds what
 * `seedForReplay` gave it, and reports those that do not come to life there.
 */
export async function replayMessages(options: ReplayOptions): Promise<void> {
  const replay = new Replay(options);
  let replayed = 0;
  for (const messages of messagesInProcessingOrder(options.stored)) {
    options.signal.throwIfAborted();
    const jobs: CopyJob[] = [];
    for (const message of messages) {
      if (message.copies.length === 0) options.problems.report("copies", `message ${message.hash} has none`);
      jobs.push(...(await readCopies(message, options)));
    }
    await replay.apply(jobs);
    const before = replayed;
    replayed += messages.length;
    if (Math.floor(before / PROGRESS_EVERY) < Math.floor(replayed / PROGRESS_EVERY)) {
      options.log.info("Replaying", { messages: replayed });
    }
  }
  await replay.settle();
  await replay.applyGrounded();
  await replay.settle();
  replay.reportMissing();
}

/** A replay keeps no ledger: what messages amount to does not depend on funds. */
const NO_PRICES: Pick<PriceListReader, "lists" | "forget"> = {
  forget: () => undefined,
  lists: () => {
    throw new Error("A replay asked for prices");
  },
};

class Replay {
  readonly #options: ReplayOptions;
  readonly #writer: BatchWriter;
  /** For messages whose grounds were forgotten after they had been accepted. */
  readonly #lenient: BatchWriter;
  /** The time of the replay: it jumps to whatever waits. */
  #nowMicros: bigint;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#nowMicros = options.clock.nowMicros();
    const rules = { ...options.rules, ledger: null };
    this.#writer = this.#writerWith(rules);
    this.#lenient = this.#writerWith({ ...rules, acceptedBefore: true });
  }

  #writerWith(rules: StateRules): BatchWriter {
    const { computed, reader, clock, random, limits } = this.#options;
    return new BatchWriter({
      store: computed,
      rules,
      limits,
      reader,
      contents: { read: async () => null },
      priceCheck: () => ({ ok: true }),
      priceLists: NO_PRICES,
      clock: { nowMicros: () => this.#nowMicros, monotonicMs: () => clock.monotonicMs() },
      random,
    });
  }

  async apply(jobs: readonly CopyJob[], writer = this.#writer): Promise<void> {
    const { stored, rules } = this.#options;
    for (let start = 0; start < jobs.length; start += BATCH) {
      const copies = jobs.slice(start, start + BATCH).map((job) => withForgottenElements(stored, rules, job));
      for (let left: readonly CopyJob[] = copies; left.length > 0; )
        ({ left } = await writer.write({ sideJobs: [], copies: left, candidates: [] }));
    }
  }

  /** Tries again what waits for something, until nothing changes any more. */
  async settle(): Promise<void> {
    const { computed, signal } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      const candidates = computed.due(this.#nowMicros, BATCH);
      if (candidates.length > 0) await this.#writer.write({ sideJobs: [], copies: [], candidates });
      else {
        const next = computed.nextDueMicros();
        if (next === null) return;
        this.#nowMicros = next;
      }
    }
  }

  /** Applies what was refused for want of something that is forgotten now: see `restsOnForgotten`. */
  async applyGrounded(): Promise<void> {
    const { stored, rules } = this.#options;
    for (const { id, code } of this.#notLive()) {
      const message = storedMessage(stored, id);
      if (message === null || code === null) continue;
      // What is wrong with its copies was reported the first time.
      const jobs = await readCopies(message, { ...this.#options, problems: new Problems() });
      const prepared = preparedOf(jobs[0]);
      if (prepared === null || !restsOnForgotten(stored, rules, prepared, code)) continue;
      await this.apply(jobs, this.#lenient);
    }
  }

  /** One line for each message that is live in the data folder and not here. */
  reportMissing(): void {
    const { stored, problems } = this.#options;
    for (const { id, status, code } of this.#notLive()) {
      const hash = storedMessage(stored, id)?.hash ?? `with id ${id}`;
      const reason = code === null ? "" : ` (${errorOfCode(code)?.text ?? code})`;
      problems.report("messages", `${hash} is stored as processed, computed as ${STATUSES[status]}${reason}`);
    }
  }

  #notLive(): { id: number; status: number; code: number | null }[] {
    return this.#options.computed.session.connection.all(
      `SELECT i.id, i.status, coalesce((SELECT c.code FROM candidates c WHERE c.item_id = i.id LIMIT 1),
         (SELECT r.code FROM refusals r WHERE r.item_id = i.id LIMIT 1)) AS code
       FROM items i WHERE i.status NOT IN (1, 3, 4)`,
    );
  }
}

function preparedOf(job: CopyJob | undefined): PreparedMessage | null {
  return job?.copy.kind === "message" ? job.copy.message : null;
}
