import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "../errors.ts";
import type { RouteTable } from "./route-table.ts";

const PREFLIGHT_MAX_AGE_SECONDS = "86400";
/** Response headers beyond the simple ones that scripts of other origins may read. */
const EXPOSED_HEADERS =
  "Accept-Ranges, Allow, Content-Disposition, Content-Encoding, Content-Length, Content-Range, Date, ETag, Link, Retry-After, X-Total-Approximate";

/**
 * Opens every route to every origin, without credentials, errors included. `@fastify/cors` answers every preflight
 * alike, whatever methods the path has, and a bad one with 400 where the reference answers 403.
 */
export function addCors(api: FastifyInstance): void {
  api.addHook("onRequest", (request, reply, done) => {
    const { origin } = request.headers;
    reply.header("vary", "Origin");
    if (origin !== undefined) {
      reply.header("access-control-allow-origin", origin);
      reply.header("access-control-expose-headers", EXPOSED_HEADERS);
    }
    done();
  });
}

/** Answers an OPTIONS request: a preflight of a supported method gets 200, anything else 403. */
export function answerPreflight(
  request: FastifyRequest,
  reply: FastifyReply,
  routes: RouteTable,
): FastifyReply {
  const { origin } = request.headers;
  const method = request.headers["access-control-request-method"];
  const path = request.url.split("?", 1)[0] ?? "";
  const supported = routes.methodsOf(path);
  if (origin === undefined || method === undefined || !supported.has(method)) {
    throw new ApiError(
      "API_PREFLIGHT_REFUSED",
      "Forbidden: a preflight needs Origin and an Access-Control-Request-Method that the path supports",
      { supportedMethods: [...supported] },
    );
  }
  reply.header("access-control-allow-methods", method);
  const headers = request.headers["access-control-request-headers"];
  if (headers !== undefined) reply.header("access-control-allow-headers", headers);
  reply.header("access-control-max-age", PREFLIGHT_MAX_AGE_SECONDS);
  return reply.code(200).send("");
}
