import type { FastifyInstance } from "fastify";
import { ApiError } from "../errors.ts";
import { answerPreflight } from "./cors.ts";
import type { RouteTable } from "./route-table.ts";

/** What no route takes: preflights, known paths with another method (405), unknown paths (404). */
export function addNotFoundHandler(api: FastifyInstance, routes: RouteTable): void {
  api.setNotFoundHandler((request, reply) => {
    if (request.method === "OPTIONS") return answerPreflight(request, reply, routes);
    const path = request.url.split("?", 1)[0] ?? "";
    const supported = routes.methodsOf(path);
    if (supported.size === 0) {
      throw new ApiError("API_NOT_FOUND", "404: Not Found. The routes of this node are listed at /api/docs");
    }
    const allow = [...supported].sort().join(", ");
    throw new ApiError(
      "API_METHOD_NOT_ALLOWED",
      `405: Method Not Allowed. This path supports ${allow}`,
      {},
      { allow },
    );
  });
}
