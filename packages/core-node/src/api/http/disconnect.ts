import type { FastifyReply } from "fastify";
import { ApiError } from "../errors.ts";

export function clientClosed(): ApiError {
  return new ApiError("API_CLIENT_CLOSED", "the client closed the connection before the answer was complete");
}

/** Aborts when the client goes away before the answer is complete. Only for routes that do much or wait. */
export function disconnectSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) controller.abort(clientClosed());
  });
  return controller.signal;
}
