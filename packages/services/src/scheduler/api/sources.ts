import type { Planning } from "../rounds/planning.ts";
import type { SchedulerSettings } from "../settings.ts";
import type { Samples } from "../state/samples.ts";
import type { SchedulerStore } from "../state/store.ts";
import type { StateView } from "../state/view.ts";

/** What the routes read from. */
export interface ApiSources {
  readonly store: SchedulerStore;
  readonly view: StateView;
  readonly planning: Planning;
  readonly samples: Samples;
  readonly settings: SchedulerSettings;
  /** When the last round of planning was complete. */
  readonly lastPlanAtMs: () => number;
  readonly version: string;
}
