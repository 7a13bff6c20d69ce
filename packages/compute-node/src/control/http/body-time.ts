import type { Timers } from "@twentysix/platform";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { sendError } from "./error-handler.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Its body is a file, which may take hours: it has to go on coming, and that is all. */
    readonly isUpload?: boolean;
  }
}

/** The largest body that is no file is 1 MiB. */
const BODY_MS = 60_000;
/** Longer than a disk of this node makes a client wait. */
const SILENCE_MS = 120_000;

/** Anybody may begin a request: one whose body does not come is ended, instead of being held for ever. */
export function limitBodyTime(app: FastifyInstance, timers: Pick<Timers, "schedule">): void {
  app.addHook("preParsing", async (request, reply) => {
    const isUpload = request.routeOptions.config.isUpload === true;
    if (!request.raw.complete) watch(request, reply, isUpload, timers);
  });
}

function watch(
  request: FastifyRequest,
  reply: FastifyReply,
  isUpload: boolean,
  timers: Pick<Timers, "schedule">,
): void {
  const { raw } = request;
  const { bytesRead } = raw.socket;
  const cancel = timers.schedule(isUpload ? SILENCE_MS : BODY_MS, () => {
    if (raw.complete || raw.destroyed) return;
    if (isUpload && raw.socket.bytesRead > bytesRead) watch(request, reply, isUpload, timers);
    else if (isUpload || reply.sent) raw.destroy();
    else refuse(request, reply);
  });
  raw.once("end", cancel).once("close", cancel);
  reply.raw.once("finish", cancel);
}

function refuse({ raw }: FastifyRequest, reply: FastifyReply): void {
  reply.raw.once("finish", () => raw.destroy());
  const text = `the body of the request did not come within ${BODY_MS / 1_000} s; send it again`;
  sendError(reply.header("connection", "close"), 408, text);
}
