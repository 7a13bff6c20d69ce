import type { FastifyInstance } from "fastify";
import { ApiError } from "../errors.ts";

/** Refuses paths and queries that are longer than `maxBytes` (they are ASCII on the wire). */
export function addUrlLimit(api: FastifyInstance, maxBytes: number): void {
  api.addHook("onRequest", (request, _reply, done) => {
    if (request.url.length <= maxBytes) return done();
    done(
      new ApiError(
        "API_URI_TOO_LONG",
        `The URL is too long: at most ${maxBytes} bytes; ask for fewer values at a time`,
        {
          maxBytes,
        },
      ),
    );
  });
}
