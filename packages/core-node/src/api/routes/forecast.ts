import { Type } from "@sinclair/typebox";
import { formatAtto, formatIsoZ } from "@twentysix/protocol";
import type { ForecastFacts } from "@twentysix/storage";
import type { FastifyInstance } from "fastify";
import type { ApiContext } from "../context.ts";
import { type Forecast, forecast } from "../economy/forecast.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { sendJson } from "../http/json-reply.ts";
import { addPlainGet, pathValue } from "../http/route.ts";
import { nullable } from "../schemas/nullable.ts";

const TIME = Type.String({ format: "date-time" });

const FORECAST = Type.Object({
  address: Type.String(),
  at: TIME,
  balance: Type.String({ description: "Tokens; a decimal with 18 places." }),
  locked_amount: Type.String({ description: "Tokens that what is billed holds." }),
  credit_balance: Type.Integer(),
  credits_per_second: Type.String({ description: "What is billed takes; a decimal with 18 places." }),
  runway_seconds: nullable(Type.Integer({ description: "null when nothing is spent." })),
  runs_out_at: nullable(TIME),
  next_removal: nullable(
    Type.Object({
      item_hash: Type.String(),
      status: Type.Union([Type.Literal("removing"), Type.Literal("expected")]),
      reason: Type.String(),
      time: Type.String({ format: "date-time", description: "Not removed before." }),
    }),
  ),
  upcoming_expirations: Type.Array(
    Type.Object({
      expiration_date: TIME,
      amount: Type.Integer(),
      unspent: Type.Integer({ description: "What of it will not have been spent by then." }),
    }),
  ),
  approximate: Type.Boolean({
    description: "It has more lots of credits, or later costs, than were looked at.",
  }),
});

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

function forecastBody(address: string, facts: ForecastFacts, ahead: Forecast, nowMicros: bigint): string {
  const { runwayMicros, nextRemoval, expirations, credits } = ahead;
  const removal =
    nextRemoval === null
      ? null
      : {
          item_hash: nextRemoval.itemHash,
          status: nextRemoval.isMarked ? "removing" : "expected",
          reason: nextRemoval.reason,
          time: dateOf(nextRemoval.atMicros),
        };
  const expiring = expirations.map(
    ({ atMicros, amount, unspent }) =>
      `{"expiration_date":"${dateOf(atMicros)}","amount":${amount},"unspent":${unspent}}`,
  );
  const figures = {
    address,
    at: dateOf(nowMicros),
    balance: formatAtto(facts.tokensAtto),
    locked_amount: formatAtto(facts.heldAtto),
    credits_per_second: formatAtto(facts.creditAttoPerSecond),
    runway_seconds: runwayMicros === null ? null : Number(runwayMicros / 1_000_000n),
    runs_out_at: runwayMicros === null ? null : dateOf(nowMicros + runwayMicros),
    next_removal: removal,
    approximate: facts.isCut,
  };
  return `${JSON.stringify(figures).slice(0, -1)},"credit_balance":${credits},"upcoming_expirations":[${expiring.join(",")}]}`;
}

/** Last microsecond of the year 9999. */
const LAST_MICROS = 253_402_300_799_999_999n;

/** What lies beyond the calendar is told as its end. */
const dateOf = (micros: bigint): string => formatIsoZ(micros > LAST_MICROS ? LAST_MICROS : micros);
