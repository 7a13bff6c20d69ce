import { Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import type { ApiContext } from "../context.ts";
import { sendJson } from "../http/json-reply.ts";
import { addPlainGet } from "../http/route.ts";
import { figuresJson, figuresText, nodeFigures } from "../node-figures.ts";
import { FIGURES } from "../schemas/node.ts";

/** Figures of this node, for Prometheus, for other nodes and for scorers. */
export function addMetricsRoutes(api: FastifyInstance, { services, connections }: ApiContext): void {
  const { node, registry } = services;
  addPlainGet(
    api,
    "/metrics",
    {
      cost: "point",
      tag: "Node",
      summary: "Figures as Prometheus text",
      produces: "text/plain",
      response: Type.String(),
    },
    async (_request, reply) => {
      const figures = nodeFigures(await services.status(), connections.figures());
      const text = figuresText(node.version, figures) + (await registry.metrics());
      return reply.header("content-type", "text/plain; version=0.0.4; charset=utf-8").send(text);
    },
  );
  addPlainGet(
    api,
    "/metrics.json",
    { cost: "point", tag: "Node", summary: "Figures as JSON", response: FIGURES },
    async (request, reply) =>
      sendJson(
        request,
        reply,
        figuresJson(node.version, nodeFigures(await services.status(), connections.figures())),
      ),
  );
}
