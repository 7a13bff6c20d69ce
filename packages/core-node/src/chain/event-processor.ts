import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import type { ChainRecordReads, DueChainEvent } from "@twentysix/storage";
import { InFlight } from "../archive/in-flight.ts";
import { PipelineError } from "../pipeline/errors.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { SubmitOptions } from "../pipeline/pipeline-options.ts";
import type { ArchiveFiles } from "./archive-file.ts";
import { archiveMessages } from "./archive-messages.ts";
import { type ContractMessage, contractEnvelope } from "./contract-message.ts";
import { ChainError } from "./errors.ts";

export interface EventProcessorOptions {
  readonly records: Pick<ChainRecordReads, "due">;
  readonly pipeline: Pick<Pipeline, "submit" | "changeChain">;
  readonly archives: Pick<ArchiveFiles, "open">;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** Events that are tried at once; each of them may wait for an archive. */
const CONCURRENCY = 4;
const DUE_STEP = 32;
/** Messages of one archive that are on their way at once. */
const IN_FLIGHT = { maxCount: 512, maxBytes: 16 * 1024 * 1024 };
const ARCHIVE_TIMEOUT_MS = 60_000;
const FULL_PAUSE_MS = 50;
const FIRST_PAUSE_MS = 2_000;
const MAX_PAUSE_MS = 6 * 3_600_000;

/**
 * Takes the messages that chain events carry. What fails is tried again after a growing pause, for as long as it takes,
 * and holds nothing else up; what can never be read is refused for good.
 */
export class EventProcessor {
  readonly #options: EventProcessorOptions;

  constructor(options: EventProcessorOptions) {
    this.#options = options;
  }

  /** Tries what is due; true when there may be more. */
  async run(signal: AbortSignal): Promise<boolean> {
    const { records, clock } = this.#options;
    const due = await records.due(clock.nowMicros(), DUE_STEP);
    const waiting = [...due];
    const worker = async (): Promise<void> => {
      try {
        for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
          signal.throwIfAborted();
          await this.#try(event, signal);
        }
      } finally {
        // Where one fails the others begin no further event.
        waiting.length = 0;
      }
    };
    // All have ended before the next round: it would try the same events beside them.
    const ends = await Promise.allSettled(Array.from({ length: CONCURRENCY }, worker));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    return due.length === DUE_STEP;
  }

  async #try(event: DueChainEvent, signal: AbortSignal): Promise<void> {
    const { pipeline, log } = this.#options;
    try {
      const messages = await this.#take(event, signal);
      const done = { state: "done", nextAttemptMicros: null, messages, error: null } as const;
      await pipeline.changeChain({ kind: "settled", id: event.id, ...done });
    } catch (error) {
      if (signal.aborted || error instanceof PipelineError) throw error;
      const isFinal = error instanceof ChainError && error.code === "CHAIN_CONTENT_INVALID";
      const text = (error instanceof Error ? error.message : String(error)).slice(0, 500);
      log.warn(isFinal ? "A chain event is refused" : "A chain event is tried again later", {
        chain: event.chain,
        txHash: event.txHash,
        attempts: event.attempts + 1,
        error,
      });
      await pipeline.changeChain({
        kind: "settled",
        id: event.id,
        state: isFinal ? "refused" : "waiting",
        nextAttemptMicros: isFinal ? null : this.#nextAttempt(event.attempts),
        messages: null,
        error: text,
      });
    }
  }

  #nextAttempt(attempts: number): bigint {
    const { clock, random } = this.#options;
    const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts, 20));
    return clock.nowMicros() + BigInt(Math.round((pauseMs * (500 + random.uniform(500))) / 1_000)) * 1_000n;
  }

  /** Returns how many messages the event carried. */
  async #take(event: DueChainEvent, signal: AbortSignal): Promise<number> {
    switch (event.kind) {
      case "message": {
        const message = JSON.parse(event.payload) as ContractMessage;
        await this.#submit(contractEnvelope(message, event.chain, event.timeMicros), event, true, signal);
        return 1;
      }
      case "messages":
        return await this.#takeAll([Buffer.from(event.payload)], event, signal);
      case "archive": {
        const { archives, timers } = this.#options;
        const bytes = await timers.withTimeout(
          ARCHIVE_TIMEOUT_MS,
          (stop) => archives.open(event.payload, event.txHash, stop),
          signal,
        );
        return await this.#takeAll(bytes, event, signal);
      }
    }
  }

  async #takeAll(
    bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    event: DueChainEvent,
    signal: AbortSignal,
  ): Promise<number> {
    const inFlight = new InFlight(IN_FLIGHT);
    const failures: unknown[] = [];
    let count = 0;
    for await (const text of archiveMessages(bytes)) {
      signal.throwIfAborted();
      if (failures.length > 0) break;
      count += 1;
      await inFlight.start(text.length, () =>
        this.#submit(text, event, false, signal).catch((error) => void failures.push(error)),
      );
    }
    await inFlight.drained();
    if (failures.length > 0) throw failures[0];
    if (count === 0) throw new ChainError("CHAIN_CONTENT_INVALID", "The archive has no messages");
    return count;
  }

  /** Waits while the pipeline is full. */
  async #submit(text: string, event: DueChainEvent, trusted: boolean, signal: AbortSignal): Promise<void> {
    const { pipeline, timers } = this.#options;
    const { chain, txHash, height, timeMicros, publisher } = event;
    const options: SubmitOptions = {
      origin: "onchain",
      trusted,
      confirmation: { chain, txHash, height, timeMicros, publisher },
    };
    for (;;) {
      try {
        await pipeline.submit(text, options);
        return;
      } catch (error) {
        if (!(error instanceof PipelineError)) throw error;
        // One message that the rules fail at must not hold back the others of its archive.
        if (error.code === "PIPELINE_DEFECT") return;
        if (error.code !== "PIPELINE_QUEUE_FULL") throw error;
        await timers.sleep(FULL_PAUSE_MS, signal);
      }
    }
  }
}
