import { createRequestSeconds } from "@twentysix/platform/metrics";
import type { FastifyInstance } from "fastify";
import type { ControlServices } from "../control-services.ts";

/** `/metrics`: figures of this node as Prometheus text, for everybody, as a core node has them. */
export function addMetricsRoute(
  app: FastifyInstance,
  { registry, admission, log }: Pick<ControlServices, "registry" | "admission" | "log">,
): void {
  // Whoever asks while they are read gets the same ones: the cost does not grow with their number.
  let reading: Promise<string> | null = null;
  const read = async (): Promise<string> => {
    try {
      await admission.measure();
    } catch (error) {
      log.warn("the disk cannot be measured: the metrics are those of before", { error });
    }
    return registry.metrics();
  };
  app.get("/metrics", async (_request, reply) => {
    reading ??= read().finally(() => {
      reading = null;
    });
    return reply.type("text/plain; version=0.0.4; charset=utf-8").send(await reading);
  });
}

/** Measures the requests of all routes that are added from now on. */
export function addRequestMetrics(
  app: FastifyInstance,
  { registry }: Pick<ControlServices, "registry">,
): void {
  const observe = createRequestSeconds(registry);
  app.addHook("onResponse", (request, reply, done) => {
    observe({
      route: request.routeOptions.url ?? "none",
      method: request.method,
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1_000,
    });
    done();
  });
}
