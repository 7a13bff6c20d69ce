import type { FastifyInstance } from "fastify";
import type { ControlServices } from "../control-services.ts";
import { sendJson } from "../http/send.ts";

const RETRY_SECONDS = "5";

/** `/health`, `/health/ready`: for supervisors and load balancers, as a core node has them. */
export function addHealthRoutes(
  app: FastifyInstance,
  { health }: Pick<ControlServices, "health">,
  isDraining: () => boolean,
): void {
  app.get("/health", (_request, reply) => sendJson(reply, { status: "alive" }));
  app.get("/health/ready", (_request, reply) => {
    const { isReady, checks } = health();
    const leaves = isDraining();
    const told = leaves ? { ...checks, draining: { ok: false, message: "the node stops" } } : checks;
    if (isReady && !leaves) return sendJson(reply, { status: "ready", checks: told });
    return sendJson(reply.header("retry-after", RETRY_SECONDS), { status: "not ready", checks: told }, 503);
  });
}
