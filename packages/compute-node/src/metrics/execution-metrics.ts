import { Counter, Gauge, type Registry } from "prom-client";
import { EXECUTION_STATES, type Execution, type ExecutionReason } from "../executions/execution.ts";
import type { ExecutionStore } from "../executions/execution-store.ts";
import type { Executions } from "../executions/executions.ts";

export interface MeasuredExecutions {
  readonly executions: Pick<Executions, "list" | "running">;
  readonly store: Pick<ExecutionStore, "onChange">;
}

const KINDS: readonly Execution["kind"][] = ["program", "instance"];

/** What is here, and what ended against the will of its owner. */
export function addExecutionMetrics(registry: Registry, { executions, store }: MeasuredExecutions): void {
  const registers = [registry];
  new Gauge({
    name: "twentysix_executions",
    help: "Machines of this node by what they are and where they are in their lives; those that are gone left out",
    labelNames: ["kind", "state"],
    registers,
    collect() {
      const counts = new Map<string, number>();
      for (const { kind, state } of executions.list()) {
        counts.set(`${kind} ${state}`, (counts.get(`${kind} ${state}`) ?? 0) + 1);
      }
      for (const kind of KINDS) {
        for (const state of EXECUTION_STATES) this.set({ kind, state }, counts.get(`${kind} ${state}`) ?? 0);
      }
    },
  });
  new Gauge({
    name: "twentysix_running_machines",
    help: "Machines whose process runs",
    registers,
    collect() {
      this.set(executions.list().filter(({ vmHash }) => executions.running(vmHash) !== null).length);
    },
  });
  const ends = new Counter({
    name: "twentysix_executions_ended_total",
    help: "Machines that failed, or that others than their owner stopped, by the code that the owner is told",
    labelNames: ["code"],
    registers,
  });
  // A reason stays the same object for as long as it is one.
  const known = new WeakSet<ExecutionReason>();
  store.onChange(({ reason }) => {
    if (reason === null || known.has(reason)) return;
    known.add(reason);
    ends.inc({ code: reason.code });
  });
}
