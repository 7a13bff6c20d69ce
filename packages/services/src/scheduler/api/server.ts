import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import websocket from "@fastify/websocket";
import type { Logger, Timers } from "@twentysix/platform";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { SchedulerError } from "../errors.ts";
import { addLiveEvents } from "./live-events.ts";
import type { ApiSources } from "./sources.ts";
import { addV0Routes } from "./v0-routes.ts";
import { addV1Routes } from "./v1-routes.ts";

export interface SchedulerApiOptions {
  readonly sources: ApiSources;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly timers: Timers;
  readonly log: Logger;
}

const MAX_FRAME_BYTES = 4_096;
const MIN_GZIP_BYTES = 1_024;
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_PARAMETER = 128;
const compress = promisify(gzip);

/** Serves what the scheduler knows: read only, to anybody, from pages of any origin. */
export async function startSchedulerApi(
  options: SchedulerApiOptions,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { sources, host, port, timers, log } = options;
  const server = Fastify({
    bodyLimit: 1_024,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAMETER },
  });
  answerFailures(server, log);
  await server.register(websocket, { options: { maxPayload: MAX_FRAME_BYTES } });
  server.addHook("onRequest", async (_request, reply) => {
    reply.header("access-control-allow-origin", "*").header("access-control-expose-headers", "etag");
  });
  server.addHook("onSend", shorten);
  server.options("/*", (_request, reply) =>
    reply
      .header("access-control-allow-methods", "GET, HEAD, OPTIONS")
      .header("access-control-allow-headers", "*")
      .code(204)
      .send(),
  );
  server.get("/health", () => ({ status: "ok" }));
  addV1Routes(server, sources);
  addV0Routes(server, sources);
  await server.register(async (scope) => addLiveEvents(scope, sources.store, timers));
  const url = await server.listen({ host, port });
  return { url, close: () => server.close() };
}

function answerFailures(server: FastifyInstance, log: Logger): void {
  server.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: "not found" }));
  server.setErrorHandler((error, request, reply) => {
    if (error instanceof SchedulerError && error.code === "SCHEDULER_BAD_PARAMETER") {
      return reply.code(400).send({ error: error.message });
    }
    const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
    if (status < 500) return reply.code(status).send({ error: error instanceof Error ? error.message : "" });
    log.error("a request to the scheduler failed", { url: request.url, error });
    return reply.code(500).send({ error: "internal error" });
  });
}

/** Whoever has the same answer already gets none; long ones are compressed. */
async function shorten(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  if (typeof payload !== "string" || request.method !== "GET" || reply.statusCode !== 200) return payload;
  const etag = `W/"${createHash("sha256").update(payload).digest("base64url").slice(0, 27)}"`;
  reply.header("etag", etag).header("vary", "accept-encoding").header("cache-control", "no-cache");
  if (matches(request.headers["if-none-match"], etag)) {
    reply.code(304);
    return null;
  }
  const accepted = String(request.headers["accept-encoding"] ?? "");
  if (payload.length < MIN_GZIP_BYTES || !/\bgzip\b/.test(accepted)) return payload;
  reply.header("content-encoding", "gzip").removeHeader("content-length");
  return compress(payload);
}

const matches = (header: string | undefined, etag: string): boolean =>
  header !== undefined && (header === "*" || header.split(",").some((one) => one.trim() === etag));
