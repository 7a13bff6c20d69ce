import type { FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "../errors.ts";

/** Answers a plain GET of a websocket route. */
export function refusePlainGet(_request: FastifyRequest, _reply: FastifyReply): never {
  throw new ApiError(
    "API_UPGRADE_REQUIRED",
    "426: this is a websocket: connect with ws:// or wss://",
    {},
    { upgrade: "websocket", connection: "Upgrade" },
  );
}
