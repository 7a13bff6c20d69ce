import type { StartWay } from "../executions/start-way.ts";

/**
 * How a request to a function ended: by the class of the status that its visitor was sent, the node's own answers among
 * them; `broken` where the visitor left, or the program broke off.
 */
export type RequestOutcome = "2xx" | "3xx" | "4xx" | "5xx" | "broken";

/** What became of a message that a program had subscribed to: `left_out` when it gets more than it may. */
export type TriggerOutcome = "done" | "failed" | "left_out";

/** Told of what operators count; returns at once, and throws nothing. */
export interface FunctionObserver {
  started(way: StartWay): void;
  /** A program that did not serve was asked for, and serves: downloads and waiting for a turn included. */
  coldStarted(seconds: number): void;
  answered(outcome: RequestOutcome, seconds: number): void;
  /** A request for another protocol was given to a program. */
  upgraded(): void;
  /** This node has too much to do, or the visitor asks for too much. */
  refused(status: 429 | 503): void;
  triggered(outcome: TriggerOutcome): void;
}
