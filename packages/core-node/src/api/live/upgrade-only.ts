import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
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

/** Refuses an upgrade on a path that is no websocket: it would be accepted only to be closed. */
export function refuseOtherUpgrades(api: FastifyInstance): void {
  api.addHook("onRequest", (request, _reply, done) => {
    if (!request.ws || request.is404 || request.url.startsWith("/api/ws0/")) return done();
    done(new ApiError("API_BAD_REQUEST", "400: this path is no websocket: ask for it with a plain request"));
  });
}
