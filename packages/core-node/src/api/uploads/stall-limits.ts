import type { ApiContext } from "../context.ts";
import type { ReadLimits } from "../http/read-guard.ts";

/** An upload may last as long as it moves. */
export function stallLimits({ settings, services }: ApiContext, signal: AbortSignal): ReadLimits {
  return {
    timeoutMs: settings.uploadStallTimeoutMs,
    deadline: "stall",
    timers: services.timers,
    signal,
  };
}
