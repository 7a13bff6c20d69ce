import type { FastifyInstance } from "fastify";
import type { ApiMetrics } from "../metrics.ts";

/** Measures every request by route, method and class of status. */
export function addRequestMetrics(api: FastifyInstance, metrics: ApiMetrics): void {
  api.addHook("onResponse", (request, reply, done) => {
    metrics.requestSeconds({
      route: request.routeOptions.url ?? "none",
      method: request.method,
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1_000,
    });
    if (reply.statusCode === 429) metrics.rateLimited.inc();
    done();
  });
}
