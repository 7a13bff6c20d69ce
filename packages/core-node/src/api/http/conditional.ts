import type { FastifyReply, FastifyRequest } from "fastify";

/** True when the client already holds this version; `etag` is quoted and may be weak. */
export function isUnchanged(request: FastifyRequest, etag: string): boolean {
  const held = request.headers["if-none-match"];
  if (held === undefined) return false;
  const wanted = opaque(etag);
  return held === "*" || held.split(",").some((candidate) => opaque(candidate.trim()) === wanted);
}

/** Answers 304 with the validator. */
export function sendUnchanged(reply: FastifyReply): FastifyReply {
  return reply.code(304).send();
}

/** If-None-Match compares weakly. */
function opaque(etag: string): string {
  return etag.startsWith("W/") ? etag.slice(2) : etag;
}
