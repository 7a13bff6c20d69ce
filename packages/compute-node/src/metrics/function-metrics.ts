import { Counter, Histogram, type Registry } from "prom-client";
import type { FunctionObserver, RequestOutcome, TriggerOutcome } from "../functions/function-observer.ts";

const OUTCOMES: readonly RequestOutcome[] = ["2xx", "3xx", "4xx", "5xx", "broken"];
const TRIGGER_OUTCOMES: readonly TriggerOutcome[] = ["done", "failed", "left_out"];
const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** A program from a template takes some hundred milliseconds, one that is downloaded minutes. */
const START_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640];

/** Counts visits to functions, and what comes of them. Every series is there from the start. */
export function createFunctionMetrics(registry: Registry): Omit<FunctionObserver, "started"> {
  const registers = [registry];
  const coldStarts = new Histogram({
    name: "twentysix_cold_start_duration_seconds",
    help: "From a request to a function that does not run to where it serves; starts that failed are not in it",
    buckets: START_BUCKETS,
    registers,
  });
  const requests = new Histogram({
    name: "twentysix_function_request_duration_seconds",
    help: "From a request to a function to the end of its answer, cold starts included",
    labelNames: ["outcome"],
    buckets: REQUEST_BUCKETS,
    registers,
  });
  const upgrades = new Counter({
    name: "twentysix_function_upgrades_total",
    help: "Requests for another protocol (WebSockets) that were given to functions",
    registers,
  });
  const refusals = new Counter({
    name: "twentysix_function_refusals_total",
    help: "Requests that never reached a function: 429 too many of one visitor, 503 no room or too much to do",
    labelNames: ["status"],
    registers,
  });
  const triggers = new Counter({
    name: "twentysix_trigger_runs_total",
    help: "Messages that functions of this node had subscribed to and that were theirs, by what became of them",
    labelNames: ["outcome"],
    registers,
  });
  for (const status of [429, 503]) refusals.inc({ status }, 0);
  for (const outcome of TRIGGER_OUTCOMES) triggers.inc({ outcome }, 0);
  // Looking a labelled histogram up costs more than filling it.
  const byOutcome = new Map(OUTCOMES.map((outcome) => [outcome, requests.labels({ outcome })]));
  for (const outcome of OUTCOMES) requests.zero({ outcome });
  return {
    coldStarted: (seconds) => coldStarts.observe(seconds),
    answered: (outcome, seconds) => byOutcome.get(outcome)?.observe(seconds),
    upgraded: () => upgrades.inc(),
    refused: (status) => refusals.inc({ status }),
    triggered: (outcome) => triggers.inc({ outcome }),
  };
}
