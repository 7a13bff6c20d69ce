import { Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import type { ApiContext } from "../context.ts";
import { FORECAST_EVENTS } from "../economy/forecast-events.ts";
import { ForecastWatch } from "../economy/forecast-watch.ts";
import { EventStream } from "../http/event-stream.ts";
import { addPlainGet, pathValue } from "../http/route.ts";
import { StreamSlots } from "../http/stream-slots.ts";

const SUMMARY =
  "Server-sent events: how long the credits of an address last, each time that 7 days, 1 day or 1 hour are left or regained, and removals";

/** Tells of what comes of an account when it changes, so that nobody has to ask. */
export function addForecastEventsRoute(api: FastifyInstance, { services, settings }: ApiContext): void {
  const { reads, lists, economy, live, clock, timers, log } = services;
  const { heartbeatMs, maxQueuedBytes, maxStreams, maxStreamsPerAddress } = settings.events;
  const watch = new ForecastWatch({
    rules: economy.rules,
    mark: (address) => reads.accountMark(address),
    facts: (address, nowMicros, signal) => lists.forecastFacts(address, nowMicros, { signal }),
    statusOf: async (itemHash) => (await reads.statusOf(itemHash))?.status ?? null,
    onCommit: (listener) => live.onCommit(listener),
    clock,
    timers,
    log,
  });
  const slots = new StreamSlots({
    max: maxStreams,
    maxPerAddress: maxStreamsPerAddress,
    subject: "event streams are open",
    advice: "close one, or ask for the forecast itself from time to time",
  });
  api.addHook("preClose", async () => watch.close());
  addPlainGet(
    api,
    "/api/v1/addresses/:address/forecast/events",
    {
      cost: "list",
      tag: "Balances",
      summary: SUMMARY,
      produces: "text/event-stream",
      response: Type.String({ description: `Events: ${FORECAST_EVENTS.join(", ")}. See docs/api.md.` }),
    },
    (request, reply) => {
      if (request.method === "HEAD") return reply.header("content-type", "text/event-stream").send();
      slots.takeFor(reply);
      const stream = new EventStream(reply, { timers, heartbeatMs, maxQueuedBytes, signal: watch.signal });
      const leave = watch.subscribe(pathValue(request, "address"), ({ name, data }) =>
        stream.send(name, data),
      );
      if (stream.ended.aborted) leave();
      else stream.ended.addEventListener("abort", leave, { once: true });
      return reply;
    },
  );
}
