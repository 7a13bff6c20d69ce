import { Counter, Gauge, type Registry } from "prom-client";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { ReaderThread } from "../reader/reader-thread.ts";
import type { Budgets } from "./budgets.ts";

/** Metrics of the threads and budgets; each has its unit in its name. */
export function addPipelineMetrics(
  registry: Registry,
  pipeline: Pipeline,
  reader: ReaderThread,
  budgets: Budgets,
  graceBytes: () => number,
): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
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
