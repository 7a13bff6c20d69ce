import multipart from "@fastify/multipart";
import websocket from "@fastify/websocket";
import { type FastifyInstance, fastify } from "fastify";
import type { ApiContext } from "./context.ts";
import { answerClientError } from "./http/client-error.ts";
import { addCors } from "./http/cors.ts";
import { collectDescribedRoutes } from "./http/described-routes.ts";
import { createErrorReport, handleError } from "./http/error-handler.ts";
import { addLinger } from "./http/linger.ts";
import { addNotFoundHandler } from "./http/not-found.ts";
import { addRateLimit } from "./http/rate-limit.ts";
import { addRequestMetrics } from "./http/request-metrics.ts";
import { RouteTable } from "./http/route-table.ts";
import { StreamSlots } from "./http/stream-slots.ts";
import { addUrlLimit } from "./http/url-limit.ts";
import { Connections } from "./live/connections.ts";
import { refuseOtherUpgrades } from "./live/upgrade-only.ts";
import { createApiMetrics } from "./metrics.ts";
import { addAddressRoutes } from "./routes/addresses.ts";
import { addAggregateRoutes } from "./routes/aggregates.ts";
import { addAuthorizationRoutes } from "./routes/authorizations.ts";
import { addBalanceRoutes } from "./routes/balances.ts";
import { addChainsRoute } from "./routes/chains.ts";
import { addCheckpointsRoute } from "./routes/checkpoints.ts";
import { addCostRoutes } from "./routes/costs.ts";
import { addCreditRoutes } from "./routes/credits.ts";
import { addDocumentationRoutes } from "./routes/documentation.ts";
import { addDurabilityRoute } from "./routes/durability.ts";
import { addEndedCostRoute } from "./routes/ended-costs.ts";
import { addExplanationRoute } from "./routes/explanation.ts";
import { addFileReferenceRoutes } from "./routes/file-references.ts";
import { addFileRoutes } from "./routes/files.ts";
import { addForecastRoute } from "./routes/forecast.ts";
import { addForecastEventsRoute } from "./routes/forecast-events.ts";
import { addGatewayRoutes } from "./routes/gateway.ts";
import { addHealthRoutes } from "./routes/health.ts";
import { addInfoRoutes } from "./routes/info.ts";
import { addMessageHashesRoute } from "./routes/message-hashes.ts";
import { addMessageListRoutes } from "./routes/message-list.ts";
import { addMessageSocketRoute } from "./routes/message-socket.ts";
import { addMessageRoutes } from "./routes/messages.ts";
import { addMetricsRoutes } from "./routes/metrics.ts";
import { addNodeMetricsRoutes } from "./routes/node-metrics.ts";
import { addOutcomeSocketRoute } from "./routes/outcome-socket.ts";
import { addPageRoutes } from "./routes/pages.ts";
import { addPostRoutes } from "./routes/posts.ts";
import { addPriceRoutes } from "./routes/prices.ts";
import { addPubsubRoutes } from "./routes/pubsub.ts";
import { addQuoteRoute } from "./routes/quote.ts";
import { addRecalculationRoutes } from "./routes/recalculation.ts";
import { addStateRootRoute } from "./routes/state-root.ts";
import { addStatusSocketRoute } from "./routes/status-socket.ts";
import { addSubmitRoute } from "./routes/submit.ts";
import { addCarUploadRoute } from "./routes/upload-car.ts";
import { addFileUploadRoutes } from "./routes/upload-file.ts";
import { addJsonUploadRoutes } from "./routes/upload-json.ts";
import type { ApiServices } from "./services.ts";
import type { ApiSettings } from "./settings.ts";

/** Requests that still run when the API closes have this long. */
const CLOSING_MS = 2_000;
/** How often the time limits of headers are looked at; one may last this much longer. */
const TIMEOUT_CHECK_MS = 5_000;

/** Short frames go as they are: to compress one costs more than to send it. */
const WEBSOCKET_COMPRESSION = { threshold: 4_096, concurrencyLimit: 4, serverNoContextTakeover: true };

/** A running API: start it with `listen`, end it with `close`. */
export interface Api {
  /** Resolves with the address it is reached at, such as `http://127.0.0.1:4024`. */
  listen(options: { readonly host: string; readonly port: number }): Promise<string>;
  /** Stops taking requests, closes websockets with 1001, gives running requests a moment to end. */
  close(): Promise<void>;
  /** The server underneath, for tests that inject requests. */
  readonly server: FastifyInstance;
}

/** Builds the HTTP and WebSocket API of a node over its services. */
export async function createApi(services: ApiServices, settings: ApiSettings): Promise<Api> {
  const metrics = createApiMetrics(services.registry);
  const connections = new Connections(services, settings.websocket);
  const context: ApiContext = { services, settings, metrics, connections };
  const report = createErrorReport(services, () => metrics.internalErrors.inc());
  const api = createServer(settings, services, report);
  const routes = new RouteTable(api);
  const { maxStreams, maxStreamsPerAddress } = settings.lists;
  const slots = new StreamSlots({ max: maxStreams, maxPerAddress: maxStreamsPerAddress });
  api.decorate("streamSlots", slots);

  await api.register(websocket, {
    options: { maxPayload: 64 * 1024, perMessageDeflate: WEBSOCKET_COMPRESSION },
    errorHandler: (error, socket) => {
      services.log.debug("a websocket failed", { error });
      socket.terminate();
    },
    preClose: (done: () => void) => {
      connections.closeAll();
      done();
    },
  });
  refuseOtherUpgrades(api);
  addCors(api);
  addUrlLimit(api, settings.maxUrlBytes);
  addRateLimit(api, settings.rate, services.clock);
  addRequestMetrics(api, metrics);
  addLinger(api, services.timers);
  collectDescribedRoutes(api);
  addNotFoundHandler(api, routes);
  addRoutes(api, context);
  await api.register(async (uploads) => {
    await uploads.register(multipart, { throwFileSizeLimit: false });
    addFileUploadRoutes(uploads, context);
    addCarUploadRoute(uploads, context);
  });
  await api.ready();
  return {
    server: api,
    listen: async ({ host, port }) => api.listen({ host, port }),
    close: async () => {
      // Long answers and waits that go on would keep the node from stopping.
      const cancel = services.timers.schedule(CLOSING_MS, () => api.server.closeAllConnections());
      await api.close();
      cancel();
    },
  };
}

function createServer(
  settings: ApiSettings,
  services: ApiServices,
  report: ReturnType<typeof createErrorReport>,
): FastifyInstance {
  const api = fastify({
    logger: false,
    exposeHeadRoutes: false,
    return503OnClosing: true,
    forceCloseConnections: "idle",
    connectionTimeout: settings.idleTimeoutMs,
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    trustProxy: settings.trustedProxies.length === 0 ? false : [...settings.trustedProxies],
    http: {
      maxHeaderSize: settings.maxHeaderBytes,
      headersTimeout: settings.headersTimeoutMs,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    },
    // Each route reads its own query: see readQuery.
    routerOptions: { maxParamLength: 512, querystringParser: () => ({}) },
    frameworkErrors: (error, request, reply) => {
      handleError(error, request, reply, report);
    },
    clientErrorHandler: (error, socket) => answerClientError(error, socket, services.log),
  });
  api.removeAllContentTypeParsers();
  // Any content type is taken for any route; the route reads the body under its own limit.
  api.addContentTypeParser("*", (_request, _payload, done) => done(null));
  api.setErrorHandler((error, request, reply) => handleError(error, request, reply, report));
  return api;
}

function addRoutes(api: FastifyInstance, context: ApiContext): void {
  for (const add of [
    addPageRoutes,
    addDocumentationRoutes,
    addMessageListRoutes,
    addMessageHashesRoute,
    addMessageRoutes,
    addSubmitRoute,
    addPubsubRoutes,
    addPostRoutes,
    addAggregateRoutes,
    addAuthorizationRoutes,
    addJsonUploadRoutes,
    addFileRoutes,
    addFileReferenceRoutes,
    addGatewayRoutes,
    addAddressRoutes,
    addBalanceRoutes,
    addCreditRoutes,
    addForecastRoute,
    addForecastEventsRoute,
    addPriceRoutes,
    addCostRoutes,
    addEndedCostRoute,
    addRecalculationRoutes,
    addInfoRoutes,
    addHealthRoutes,
    addMetricsRoutes,
    addNodeMetricsRoutes,
    addCheckpointsRoute,
    addStateRootRoute,
    addExplanationRoute,
    addDurabilityRoute,
    addChainsRoute,
    addQuoteRoute,
    addMessageSocketRoute,
    addStatusSocketRoute,
    addOutcomeSocketRoute,
  ]) {
    add(api, context);
  }
}
