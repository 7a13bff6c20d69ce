import type { FastifyInstance } from "fastify";
import type { ApiContext } from "../context.ts";
import { sendJson } from "../http/json-reply.ts";
import { addPlainGet } from "../http/route.ts";
import { ALIVE, READINESS } from "../schemas/node.ts";

/** For supervisors and load balancers. */
export function addHealthRoutes(api: FastifyInstance, { services }: ApiContext): void {
  addPlainGet(
    api,
    "/health",
    { cost: "free", tag: "Node", summary: "The process is alive", response: ALIVE },
    (request, reply) => sendJson(request, reply, '{"status":"alive"}'),
  );
  addPlainGet(
    api,
    "/health/ready",
    {
      cost: "free",
      tag: "Node",
      summary: "The node is ready to serve; 503 when it is not",
      response: READINESS,
      answers: { 503: { description: "The node takes no new work.", schema: READINESS } },
    },
    (request, reply) => {
      const { ready, checks } = services.health();
      if (!ready) reply.code(503).header("retry-after", "5");
      return sendJson(request, reply, JSON.stringify({ status: ready ? "ready" : "not ready", checks }));
    },
  );
}
