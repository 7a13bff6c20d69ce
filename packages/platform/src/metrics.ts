export { createFigures, type Figures } from "./metrics/figures.ts";
export { addProcessMetrics } from "./metrics/process-metrics.ts";
export { createRequestSeconds, type RequestSeconds } from "./metrics/request-seconds.ts";
