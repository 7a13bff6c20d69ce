import type { FastifyInstance } from "fastify";
import type { ApiMetrics } from "../metrics.ts";

interface Observer {
  observe(value: number): void;
}

/** Measures every request by route, method and class of status. */
export function addRequestMetrics(api: FastifyInstance, metrics: ApiMetrics): void {
  // Looking a labelled histogram up costs more than filling it: each combination is looked up once.
  const observers = new Map<string, Observer>();
  api.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? "none";
    const status = `${Math.floor(reply.statusCode / 100)}xx`;
    const key = `${request.method} ${status} ${route}`;
    let observer = observers.get(key);
    if (observer === undefined) {
      observer = metrics.requestSeconds.labels({ route, method: request.method, status });
      observers.set(key, observer);
    }
    observer.observe(reply.elapsedTime / 1_000);
    if (reply.statusCode === 429) metrics.rateLimited.inc();
    done();
  });
}
