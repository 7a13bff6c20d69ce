import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** Pages of other origins may call these; what only schedulers call is not among them. */
const OPEN_PREFIXES = ["/about/", "/v2/about/", "/control/", "/status/", "/debug/"];
const CLOSED_PATHS: ReadonlySet<string> = new Set([
  "/control/allocations",
  "/v2/control/allocations",
  "/v2/control/capacity/check",
  "/control/network/recreate",
  "/control/proxy/regenerate",
]);

const PREFLIGHT_SECONDS = "86400";

/** Any origin, with credentials, with any request header; every header of the answer may be read. */
export function addCors(app: FastifyInstance): void {
  app.addHook("onRequest", async (request, reply) => {
    const { origin } = request.headers;
    if (origin === undefined || !isOpen(request)) return;
    allow(reply, origin);
    if (request.method !== "OPTIONS") return;
    const method = request.headers["access-control-request-method"];
    if (method === undefined) return;
    const headers = request.headers["access-control-request-headers"];
    reply.header("access-control-allow-methods", method);
    if (headers !== undefined) reply.header("access-control-allow-headers", headers);
    reply.header("access-control-max-age", PREFLIGHT_SECONDS);
    await reply.code(200).send("");
  });
  app.addHook("onSend", async (request, reply, payload) => {
    if (request.headers.origin !== undefined && isOpen(request)) {
      reply.header("access-control-expose-headers", Object.keys(reply.getHeaders()).join(","));
    }
    return payload;
  });
}

function allow(reply: FastifyReply, origin: string): void {
  reply.header("access-control-allow-origin", origin);
  reply.header("access-control-allow-credentials", "true");
  reply.header("vary", "Origin");
}

function isOpen(request: FastifyRequest): boolean {
  const path = request.url.split("?", 1)[0] ?? "";
  return !CLOSED_PATHS.has(path) && OPEN_PREFIXES.some((prefix) => path.startsWith(prefix));
}
