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
  /** Given when no node comes into the situation yet: why not. docs/protocol-switches.md says the same. */
  readonly withoutEffect?: string;
}

/** A switch that nothing looks at yet: both positions end the same. */
export interface IdleSwitch {
  readonly observe: (node: StateHarness) => Promise<unknown>;
  readonly both: unknown;
  /** Why it has no effect, as docs/protocol-switches.md says it. */
  readonly withoutEffect: string;
}

export type SwitchCase = ActingSwitch | IdleSwitch;
