import type { FastifyInstance } from "fastify";
import type { ApiContext } from "../context.ts";
import { forecast } from "../economy/forecast.ts";
import { FORECAST, forecastBody } from "../economy/forecast-body.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { sendJson } from "../http/json-reply.ts";
import { addPlainGet, pathValue } from "../http/route.ts";

/** What comes if an account goes on as it is: when its credits end, and what is removed first. */
export function addForecastRoute(api: FastifyInstance, { services }: ApiContext): void {
  addPlainGet(
    api,
    "/api/v1/addresses/:address/forecast",
    {
      cost: "list",
      tag: "Balances",
      summary: "How long the credits of an address last, and what is removed first",
      response: FORECAST,
    },
    async (request, reply) => {
      const address = pathValue(request, "address");
      const nowMicros = services.clock.nowMicros();
      const signal = disconnectSignal(reply);
      const facts = await services.lists.forecastFacts(address, nowMicros, { signal });
      const ahead = forecast(facts, services.economy.rules, nowMicros);
      return sendJson(request, reply, forecastBody(address, facts, ahead, nowMicros));
    },
  );
}
