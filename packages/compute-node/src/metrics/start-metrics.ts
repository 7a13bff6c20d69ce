import { Counter, type Registry } from "prom-client";
import { EXECUTION_ERROR_CODES, type ExecutionErrorCode } from "../executions/errors.ts";
import type { Execution } from "../executions/execution.ts";
import { START_WAYS, type StartWay } from "../executions/start-way.ts";

/** Told of every start. */
export interface StartMetrics {
  started(kind: Execution["kind"], way: StartWay): void;
  failed(code: ExecutionErrorCode): void;
}

export function createStartMetrics(registry: Registry): StartMetrics {
  const registers = [registry];
  const starts = new Counter({
    name: "twentysix_starts_total",
    help: "Machines that came to run, by how: resumed from a template, booted, or adopted after a restart of the node",
    labelNames: ["kind", "way"],
    registers,
  });
  const failures = new Counter({
    name: "twentysix_start_failures_total",
    help: "Starts that failed or were refused, those that the node tries again by itself included",
    labelNames: ["code"],
    registers,
  });
  for (const way of START_WAYS) {
    starts.inc({ kind: "program", way }, 0);
    if (way !== "resumed") starts.inc({ kind: "instance", way }, 0);
  }
  for (const code of EXECUTION_ERROR_CODES) failures.inc({ code }, 0);
  return {
    started: (kind, way) => starts.inc({ kind, way }),
    failed: (code) => failures.inc({ code }),
  };
}
