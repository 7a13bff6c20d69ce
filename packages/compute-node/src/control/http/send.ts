import type { FastifyReply } from "fastify";

export function sendJson(reply: FastifyReply, body: unknown, status = 200): FastifyReply {
  return reply.code(status).type("application/json; charset=utf-8").send(JSON.stringify(body));
}

/** Success of an owner's operation: clients show the text. */
export function sendText(reply: FastifyReply, text: string, status = 200): FastifyReply {
  return reply.code(status).type("text/plain; charset=utf-8").send(text);
}
