import { createRequestSeconds, type RequestSeconds } from "@twentysix/platform/metrics";
import { Counter, type Registry } from "prom-client";

/** The API's own metrics; every name ends in its unit. */
export interface ApiMetrics {
  readonly internalErrors: Counter;
  readonly requestSeconds: RequestSeconds;
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
    requestSeconds: createRequestSeconds(registry),
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
