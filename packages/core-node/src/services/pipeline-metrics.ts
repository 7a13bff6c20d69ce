import type { Clock } from "@twentysix/platform";
import { Counter, Gauge, type Registry } from "prom-client";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { ReaderThread } from "../reader/reader-thread.ts";
import type { Budgets } from "./budgets.ts";
import type { NodeFigures } from "./node-figures.ts";

export interface MeasuredParts {
  readonly pipeline: Pick<Pipeline, "statistics">;
  readonly reader: ReaderThread;
  readonly budgets: Budgets;
  readonly figures: NodeFigures;
  readonly graceBytes: () => Promise<number>;
  readonly clock: Clock;
}

/** Metrics of the threads, queues and budgets; each has its unit in its name. */
export function addPipelineMetrics(
  registry: Registry,
  { pipeline, reader, budgets, figures, graceBytes, clock }: MeasuredParts,
): void {
  const gauge = (name: string, help: string, read: () => number | Promise<number>): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(await read());
      },
    });
  };
  gauge(
    "twentysix_pipeline_in_flight_messages",
    "Copies on their way into the state",
    () => pipeline.statistics().inFlight,
  );
  gauge(
    "twentysix_pipeline_writer_queue_messages",
    "Verified copies that wait for the writer",
    () => pipeline.statistics().writerQueue,
  );
  const secondsSince = (micros: bigint | null): number =>
    micros === null ? 0 : Math.max(0, Number(clock.nowMicros() - micros) / 1e6);
  gauge(
    "twentysix_pipeline_oldest_in_flight_seconds",
    "How long the copy waits that has waited longest for its outcome",
    () => secondsSince(pipeline.statistics().oldestReceptionMicros),
  );
  gauge(
    "twentysix_queue_overdue_seconds",
    "How long the queued copy waits that should have been tried first",
    async () => secondsSince((await figures.totals()).nextAttemptMicros),
  );
  gauge(
    "twentysix_reader_waiting_calls",
    "List reads that wait for the reader thread",
    () => reader.stats.waiting,
  );
  gauge("twentysix_disk_used_bytes", "Bytes of the data folder", () => budgets.diskBytes);
  gauge("twentysix_grace_period_used_bytes", "Bytes of files that no message refers to", graceBytes);
  gauge("twentysix_memory_used_bytes", "Resident memory of the process", () => budgets.memoryBytes);
  const processed = new Counter({
    name: "twentysix_messages_processed_total",
    help: "Messages applied since the start",
    registers: [registry],
    collect() {
      this.reset();
      this.inc(pipeline.statistics().processedTotal);
    },
  });
  processed.inc(0);
  new Counter({
    name: "twentysix_pipeline_defects_total",
    help: "Copies that made the rules fail since the start: defects",
    registers: [registry],
    collect() {
      this.reset();
      this.inc(pipeline.statistics().defectsTotal);
    },
  });
}
