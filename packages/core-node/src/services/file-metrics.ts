import { Counter, Gauge, type Registry } from "prom-client";
import type { FileLifecycle, FileLifecycleFigures } from "../content/file-lifecycle.ts";

/** Metrics of the life of stored files; each has its unit in its name. */
export function addFileMetrics(registry: Registry, lifecycle: Pick<FileLifecycle, "figures">): void {
  const gauge = (name: string, help: string, read: (figures: FileLifecycleFigures) => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(read(await lifecycle.figures()));
      },
    });
  };
  const counter = (name: string, help: string, read: (figures: FileLifecycleFigures) => number): void => {
    new Counter({
      name,
      help,
      registers: [registry],
      async collect() {
        const figures = await lifecycle.figures();
        this.reset();
        this.inc(read(figures));
      },
    });
  };
  counter(
    "twentysix_collected_files_total",
    "Files removed since the start that nothing kept",
    (figures) => figures.erasedFiles,
  );
  counter(
    "twentysix_collected_bytes_total",
    "Bytes of the files removed since the start",
    (figures) => figures.erasedBytes,
  );
  counter(
    "twentysix_corrupt_blobs_total",
    "Stored files and packs found corrupt since the start",
    (figures) => figures.corruptBlobs,
  );
  gauge(
    "twentysix_pending_deletions_files",
    "Files whose bytes are still to be removed",
    (figures) => figures.pendingDeletions,
  );
  gauge(
    "twentysix_damaged_files",
    "Registered files whose bytes are missing or corrupt",
    (figures) => figures.damagedFiles,
  );
  gauge(
    "twentysix_next_collection_timestamp_seconds",
    "When the next time of grace is over; 0 when none runs",
    ({ nextGraceEndMicros }) => Number((nextGraceEndMicros ?? 0n) / 1_000_000n),
  );
}
