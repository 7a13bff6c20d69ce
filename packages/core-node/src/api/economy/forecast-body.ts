import { Type } from "@sinclair/typebox";
import { formatAtto, formatIsoZ } from "@twentysix/protocol";
import type { ForecastFacts } from "@twentysix/storage";
import { nullable } from "../schemas/nullable.ts";
import type { Expiration, Forecast, NextRemoval } from "./forecast.ts";

const TIME = Type.String({ format: "date-time" });

const EXPIRATIONS = Type.Array(
  Type.Object({
    expiration_date: TIME,
    amount: Type.Integer(),
    unspent: Type.Integer({ description: "What of it will not have been spent by then." }),
  }),
);

export const NEXT_REMOVAL = nullable(
  Type.Object({
    item_hash: Type.String(),
    status: Type.Union([Type.Literal("removing"), Type.Literal("expected")]),
    reason: Type.String(),
    time: Type.String({ format: "date-time", description: "Not removed before." }),
  }),
);

export const FORECAST = Type.Object({
  address: Type.String(),
  at: TIME,
  balance: Type.String({ description: "Tokens; a decimal with 18 places." }),
  locked_amount: Type.String({ description: "Tokens that what is billed holds." }),
  credit_balance: Type.Integer(),
  credits_per_second: Type.String({ description: "What is billed takes; a decimal with 18 places." }),
  runway_seconds: nullable(Type.Integer({ description: "null when nothing is spent." })),
  runs_out_at: nullable(TIME),
  next_removal: NEXT_REMOVAL,
  upcoming_expirations: EXPIRATIONS,
  soonest_expiry_first: Type.Object(
    {
      runway_seconds: nullable(Type.Integer()),
      runs_out_at: nullable(TIME),
      upcoming_expirations: EXPIRATIONS,
    },
    {
      description:
        "The same if credits were spent in the order in which they expire; they are spent in the order in which they were granted.",
    },
  ),
  approximate: Type.Boolean({
    description: "It has more lots of credits, or later costs, than were looked at.",
  }),
});

export function forecastBody(
  address: string,
  facts: ForecastFacts,
  ahead: Forecast,
  nowMicros: bigint,
): string {
  const figures = {
    address,
    at: dateOf(nowMicros),
    balance: formatAtto(facts.tokensAtto),
    locked_amount: formatAtto(facts.heldAtto),
    credits_per_second: formatAtto(facts.creditAttoPerSecond),
    ...runwayMembers(ahead.runwayMicros, nowMicros),
    next_removal: removalMember(ahead.nextRemoval),
    approximate: facts.isCut,
  };
  const { runwayMicros, expirations } = ahead.soonestFirst;
  const soonest = JSON.stringify(runwayMembers(runwayMicros, nowMicros)).slice(0, -1);
  // Credits pass 2^53, so they are written by hand.
  const credits = [
    `"credit_balance":${ahead.credits}`,
    `"upcoming_expirations":${expirationsText(ahead.expirations)}`,
    `"soonest_expiry_first":${soonest},"upcoming_expirations":${expirationsText(expirations)}}`,
  ];
  return `${JSON.stringify(figures).slice(0, -1)},${credits.join(",")}}`;
}

export const runwayMembers = (
  runwayMicros: bigint | null,
  nowMicros: bigint,
): { readonly runway_seconds: number | null; readonly runs_out_at: string | null } => ({
  runway_seconds: runwayMicros === null ? null : Number(runwayMicros / 1_000_000n),
  runs_out_at: runwayMicros === null ? null : dateOf(nowMicros + runwayMicros),
});

export const removalMember = (removal: NextRemoval | null) =>
  removal === null
    ? null
    : {
        item_hash: removal.itemHash,
        status: removal.isMarked ? "removing" : "expected",
        reason: removal.reason,
        time: dateOf(removal.atMicros),
      };

function expirationsText(expirations: readonly Expiration[]): string {
  const texts = expirations.map(
    ({ atMicros, amount, unspent }) =>
      `{"expiration_date":"${dateOf(atMicros)}","amount":${amount},"unspent":${unspent}}`,
  );
  return `[${texts.join(",")}]`;
}

/** Last microsecond of the year 9999. */
const LAST_MICROS = 253_402_300_799_999_999n;

/** What lies beyond the calendar is told as its end. */
export const dateOf = (micros: bigint): string => formatIsoZ(micros > LAST_MICROS ? LAST_MICROS : micros);
