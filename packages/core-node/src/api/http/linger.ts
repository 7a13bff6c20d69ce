import type { Timers } from "@twentysix/platform";
import type { FastifyInstance } from "fastify";

/** A client that is still sending when it has its answer may go on for this long. */
const LINGER_MS = 5_000;

/**
 * Lets a client that was answered before it had sent its whole body read the answer: closing at once would reset
 * the connection under it. What it still sends is thrown away by the HTTP server.
 */
export function addLinger(api: FastifyInstance, timers: Timers): void {
  api.addHook("onResponse", (request, _reply, done) => {
    const { raw } = request;
    if (!raw.complete && !raw.socket.destroyed && !request.ws) {
      const cancel = timers.schedule(LINGER_MS, () => {
        if (!raw.complete) raw.socket.destroy();
      });
      raw.once("end", cancel);
      raw.once("close", cancel);
      raw.resume();
    }
    done();
  });
}
