import { Counter, Gauge, type Registry } from "prom-client";
import type { Clock } from "../clock.ts";
import type { EventLoopMonitor } from "../event-loop-delay.ts";

const MICROS_PER_SECOND = 1e6;
const MS_PER_SECOND = 1e3;

/** Metrics of the process, those of every process under the names that dashboards know. */
export function addProcessMetrics(registry: Registry, eventLoop: EventLoopMonitor, clock: Clock): void {
  const registers = [registry];
  new Gauge({
    name: "twentysix_event_loop_delay_seconds",
    help: "How late the main thread came to its work since the last look",
    labelNames: ["statistic"],
    registers,
    collect() {
      const { meanMs, p99Ms, maxMs } = eventLoop.take();
      this.set({ statistic: "mean" }, meanMs / MS_PER_SECOND);
      this.set({ statistic: "p99" }, p99Ms / MS_PER_SECOND);
      this.set({ statistic: "max" }, maxMs / MS_PER_SECOND);
    },
  });
  new Counter({
    name: "process_cpu_seconds_total",
    help: "Processor time of all threads since the start",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / MICROS_PER_SECOND);
    },
  });
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Memory of the process that is in use",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  const startedSeconds = Number(clock.nowMicros()) / MICROS_PER_SECOND - process.uptime();
  new Gauge({
    name: "process_start_time_seconds",
    help: "When the process started, Unix time",
    registers,
  }).set(startedSeconds);
}
