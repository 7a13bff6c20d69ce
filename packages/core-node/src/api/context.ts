import type { Connections } from "./live/connections.ts";
import type { ApiMetrics } from "./metrics.ts";
import type { ApiServices } from "./services.ts";
import type { ApiSettings } from "./settings.ts";

/** What every route group gets. */
export interface ApiContext {
  readonly services: ApiServices;
  readonly settings: ApiSettings;
  readonly metrics: ApiMetrics;
  readonly connections: Connections;
}
