import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { Semaphore } from "@twentysix/platform";
import type { Pipeline } from "../pipeline/pipeline.ts";

export interface ImportOptions {
  readonly source: Readable;
  /** Lines to pass over at the start: those of an earlier, interrupted import. */
  readonly skipLines: number;
  readonly signal: AbortSignal;
}

export interface ImportReport {
  readonly lines: number;
  readonly processed: number;
  readonly alreadyKnown: number;
  readonly rejected: number;
  readonly pending: number;
}

/** Copies on their way at once: enough to keep both threads busy, little enough for the memory. */
const IN_FLIGHT = 2_048;

/**
 * Takes messages from NDJSON through the same door as every other source: each is verified. An import that is
 * interrupted may be started again from any earlier line; what is known is passed over.
 */
export async function importMessages(pipeline: Pipeline, options: ImportOptions): Promise<ImportReport> {
  const report = { lines: 0, processed: 0, alreadyKnown: 0, rejected: 0, pending: 0 };
  const room = new Semaphore({ permits: IN_FLIGHT, maxWaiters: 1 });
  const running = new Set<Promise<void>>();
  const lines = createInterface({ input: options.source, crlfDelay: Number.POSITIVE_INFINITY });
  let failure: unknown = null;
  for await (const line of lines) {
    options.signal.throwIfAborted();
    if (failure !== null) throw failure;
    report.lines += 1;
    if (report.lines <= options.skipLines || line.trim() === "") continue;
    const permit = await room.acquire(options.signal);
    const job = pipeline
      .submit(line, { origin: "import" })
      .then(
        (result) => {
          if (result.status === "rejected") report.rejected += 1;
          else if (result.status === "pending") report.pending += 1;
          else if (result.known) report.alreadyKnown += 1;
          else report.processed += 1;
        },
        (error: unknown) => {
          failure = error;
        },
      )
      .finally(() => {
        permit.release();
        running.delete(job);
      });
    running.add(job);
  }
  await Promise.all(running);
  if (failure !== null) throw failure;
  return report;
}
