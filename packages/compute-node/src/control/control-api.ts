import multipart from "@fastify/multipart";
import websocket from "@fastify/websocket";
import { type FastifyInstance, fastify } from "fastify";
import type { ControlServices } from "./control-services.ts";
import { limitBodyTime } from "./http/body-time.ts";
import { addCors } from "./http/cors.ts";
import { handleError, sendError } from "./http/error-handler.ts";
import { addAboutRoutes } from "./routes/about.ts";
import { addAllocationRoutes } from "./routes/allocations.ts";
import { addBackupRoutes } from "./routes/backups.ts";
import { addConfidentialRoutes, addInitializeRoute } from "./routes/confidential.ts";
import { addHealthRoutes } from "./routes/health.ts";
import { addLandingRoute } from "./routes/landing.ts";
import { addLogRoutes } from "./routes/logs.ts";
import { addMachineRoutes } from "./routes/machines.ts";
import { addMetricsRoute, addRequestMetrics } from "./routes/metrics.ts";
import { addMigrationRoutes } from "./routes/migration.ts";
import { addNotifyRoute } from "./routes/notify.ts";
import { addRescueRoutes } from "./routes/rescue.ts";
import { addReserveRoute } from "./routes/reserve.ts";
import { addRestoreRoute } from "./routes/restore.ts";
import { addStatusRoutes } from "./routes/status.ts";
import { addUsageRoutes } from "./routes/usage.ts";

/** The HTTP API of a compute node. */
export interface ControlApi {
  /** Resolves with the address it is reached at, such as `http://127.0.0.1:4020`. */
  listen(options: { readonly host: string; readonly port: number }): Promise<string>;
  /** Programs are no longer called; everything else works on. */
  drain(): void;
  /** Running answers have so long to end. */
  close(graceMs?: number): Promise<void>;
  /** The server underneath, for tests that inject requests. */
  readonly server: FastifyInstance;
}

const MAX_BODY_BYTES = 1_048_576;
const MAX_HEADER_BYTES = 65_536;
const CLOSING_MS = 5_000;
/** What belongs to the node itself, under any name. */
const OWN_PREFIXES = [
  "/about/",
  "/v2/about/",
  "/v2/control/",
  "/control/",
  "/status/",
  "/static/",
  "/debug/",
  "/health",
  "/metrics",
];

export async function createControlApi(services: ControlServices): Promise<ControlApi> {
  const app = createServer(services);
  let isDraining = false;
  let apiUrl = "";
  await app.register(websocket, { options: { maxPayload: 256 * 1024 } });
  refuseWhileDraining(app, services, () => isDraining);
  // Programs answer before any route is looked at, and their answers are their own.
  await services.functions(app);
  app.addHook("onSend", async (_request, reply, payload) => {
    reply.header("server", `aleph-vm/${services.version}`);
    return payload;
  });
  addCors(app);
  addRequestMetrics(app, services);
  limitBodyTime(app, services.timers);
  addAboutRoutes(app, services);
  addUsageRoutes(app, services, () => !isDraining);
  addStatusRoutes(app, services, () => apiUrl);
  addNotifyRoute(app, services);
  addReserveRoute(app, services);
  addAllocationRoutes(app, services);
  addMachineRoutes(app, services);
  addLogRoutes(app, services);
  addBackupRoutes(app, services);
  addConfidentialRoutes(app, services);
  addMigrationRoutes(app, services);
  addRescueRoutes(app, services);
  addLandingRoute(app, services);
  addHealthRoutes(app, services, () => isDraining);
  addMetricsRoute(app, services);
  addUnknownRoutes(app);
  await app.register(async (uploads) => {
    uploads.removeAllContentTypeParsers();
    uploads.addContentTypeParser("*", (_request, _payload, done) => done(null));
    await uploads.register(multipart, { throwFileSizeLimit: false });
    addRestoreRoute(uploads, services);
    addInitializeRoute(uploads, services);
  });
  await app.ready();
  return {
    server: app,
    async listen({ host, port }) {
      apiUrl = await app.listen({ host, port });
      return apiUrl;
    },
    drain() {
      isDraining = true;
    },
    async close(graceMs = CLOSING_MS) {
      const cancel = services.timers.schedule(graceMs, () => app.server.closeAllConnections());
      await app.close();
      cancel();
    },
  };
}

function createServer({ log }: ControlServices): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    exposeHeadRoutes: false,
    forceCloseConnections: "idle",
    http: { maxHeaderSize: MAX_HEADER_BYTES },
    routerOptions: { maxParamLength: 512, querystringParser: () => ({}) },
    frameworkErrors: (error, request, reply) => {
      handleError(error, request, reply, log);
    },
  });
  app.removeAllContentTypeParsers();
  // Clients send JSON under any type, or none: each route reads what it expects.
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, request, reply) => handleError(error, request, reply, log));
  app.setNotFoundHandler((_request, reply) => sendError(reply, 404, "404: Not Found"));
  return app;
}

/** The host-name router of programs takes everything else. */
function addUnknownRoutes(app: FastifyInstance): void {
  for (const prefix of OWN_PREFIXES.filter((each) => each.endsWith("/"))) {
    app.all(`${prefix}*`, (_request, reply) => sendError(reply, 404, "404: Not Found"));
  }
}

function refuseWhileDraining(
  app: FastifyInstance,
  { settings }: ControlServices,
  isDraining: () => boolean,
): void {
  const { domainName } = settings.identity;
  app.addHook("onRequest", async (request, reply) => {
    if (!isDraining()) return;
    const path = request.url;
    const isOwn = OWN_PREFIXES.some((prefix) => path.startsWith(prefix));
    const host = (request.headers.host ?? "").replace(/:\d+$/, "");
    if (path.startsWith("/vm/") || (!isOwn && host !== domainName)) {
      await sendError(reply, 503, "Server is draining, try another node");
    }
  });
}
