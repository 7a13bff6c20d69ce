import type { StateHarness } from "../support/state-harness.ts";

/** How the two positions of a switch are told apart on a node: the same story, two outcomes. */
export interface ActingSwitch {
  /** Tells the node a story and says how it ended. */
  readonly observe: (node: StateHarness) => Promise<unknown>;
  readonly on: unknown;
  readonly off: unknown;
  /** The node judges payments, by authorities whose keys the tests have. */
  readonly priced?: true;
  /** `canonicalOrder` alone gives the outcome of `on`. */
  readonly impliedByCanonicalOrder?: true;
}
