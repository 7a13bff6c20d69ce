import { Counter, Histogram, type Registry } from "prom-client";

/** The API's own metrics; every name ends in its unit. */
export interface ApiMetrics {
  readonly internalErrors: Counter;
  readonly requestSeconds: Histogram<"route" | "method" | "status">;
  readonly uploadBytes: Counter<"engine">;
  readonly downloadBytes: Counter;
  readonly submissions: Counter<"outcome">;
  readonly rateLimited: Counter;
}

export function createApiMetrics(registry: Registry): ApiMetrics {
  const registers = [registry];
  return {
    internalErrors: new Counter({
      name: "twentysix_internal_errors_total",
      help: "Unexpected failures of this node; anything but 0 is a defect.",
      registers,
    }),
    requestSeconds: new Histogram({
      name: "twentysix_http_request_duration_seconds",
      help: "Time from the request's headers to the end of the answer.",
      labelNames: ["route", "method", "status"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
      registers,
    }),
    uploadBytes: new Counter({
      name: "twentysix_http_upload_bytes_total",
      help: "Bytes of files received.",
      labelNames: ["engine"],
      registers,
    }),
    downloadBytes: new Counter({
      name: "twentysix_http_download_bytes_total",
      help: "Bytes of files sent.",
      registers,
    }),
    submissions: new Counter({
      name: "twentysix_http_submissions_total",
      help: "Messages submitted over HTTP by what was answered.",
      labelNames: ["outcome"],
      registers,
    }),
    rateLimited: new Counter({
      name: "twentysix_http_rate_limited_total",
      help: "Requests refused because their address had used up its budget.",
      registers,
    }),
  };
}
