import { Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import type { ApiContext } from "../context.ts";
import { sendJson } from "../http/json-reply.ts";
import { addPlainGet } from "../http/route.ts";

const STATE_ROOT = Type.Object({ root: Type.String(), count: Type.Integer(), algorithm: Type.String() });

/** Nodes that hold the same messages answer the same root. */
export function addStateRootRoute(api: FastifyInstance, { services }: ApiContext): void {
  addPlainGet(
    api,
    "/api/v1/state-root",
    {
      cost: "point",
      tag: "Node",
      summary: "Digest of all accepted messages and of what they derive",
      response: STATE_ROOT,
    },
    async (request, reply) => {
      const { root, count, algorithm } = await services.stateRoot();
      return sendJson(request, reply, JSON.stringify({ root, count, algorithm }));
    },
  );
}
