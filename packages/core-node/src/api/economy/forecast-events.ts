import type { ForecastFacts } from "@twentysix/storage";
import { type Forecast, type ForecastRules, forecast } from "./forecast.ts";
import { dateOf, removalMember, runwayMembers } from "./forecast-body.ts";

const DAY_MICROS = 86_400_000_000n;
/** What is told of when less is left: 7 days, 1 day, 1 hour. The most urgent comes last. */
const THRESHOLDS_MICROS = [7n * DAY_MICROS, DAY_MICROS, DAY_MICROS / 24n] as const;

export const FORECAST_EVENTS = ["forecast", "runway", "recovery", "removal", "removal_ended"] as const;
export interface ForecastEvent {
  readonly name: (typeof FORECAST_EVENTS)[number];
  /** JSON on one line. */
  readonly data: string;
}

/** What an account comes to at one moment. */
export interface Outlook {
  readonly address: string;
  readonly atMicros: bigint;
  readonly ahead: Forecast;
  /** How many thresholds the runway has passed: 0 to 3. */
  readonly urgency: number;
  /** The message whose removal is decided and comes next. */
  readonly removing: string | null;
}

export function outlookOf(
  address: string,
  facts: ForecastFacts,
  rules: ForecastRules,
  atMicros: bigint,
): Outlook {
  const ahead = forecast(facts, rules, atMicros);
  const { runwayMicros, nextRemoval } = ahead;
  return {
    address,
    atMicros,
    ahead,
    urgency:
      runwayMicros === null ? 0 : THRESHOLDS_MICROS.filter((threshold) => runwayMicros <= threshold).length,
    removing: nextRemoval?.isMarked === true ? nextRemoval.itemHash : null,
  };
}

/** What is told at the start: how things stand. */
export const firstEvent = (now: Outlook): ForecastEvent => eventOf("forecast", now);

/**
 * What is told when things have changed.
 *
 * @param endedStatus what has become of the message that was to be removed before, if it is that no longer
 */
export function changeEvents(before: Outlook, now: Outlook, endedStatus: string | null): ForecastEvent[] {
  const events: ForecastEvent[] = [];
  if (now.urgency > before.urgency) events.push(eventOf("runway", now));
  if (now.urgency < before.urgency) events.push(eventOf("recovery", now));
  if (before.removing !== null && endedStatus !== null) {
    const { address, atMicros } = now;
    const ended = { address, at: dateOf(atMicros), item_hash: before.removing, status: endedStatus };
    events.push({ name: "removal_ended", data: JSON.stringify(ended) });
  }
  if (now.removing !== null && now.removing !== before.removing) events.push(eventOf("removal", now));
  return events;
}

/** When the runway comes to the next threshold by itself; null: it does not. */
export function nextThresholdMicros({ ahead: { runwayMicros }, urgency, atMicros }: Outlook): bigint | null {
  const threshold = THRESHOLDS_MICROS[urgency];
  return runwayMicros === null || threshold === undefined ? null : atMicros + runwayMicros - threshold;
}

function eventOf(name: ForecastEvent["name"], { address, atMicros, ahead, urgency }: Outlook): ForecastEvent {
  const threshold = THRESHOLDS_MICROS[urgency - 1];
  const body = {
    address,
    at: dateOf(atMicros),
    ...runwayMembers(ahead.runwayMicros, atMicros),
    threshold_seconds: threshold === undefined ? null : Number(threshold / 1_000_000n),
    next_removal: removalMember(ahead.nextRemoval),
  };
  return { name, data: JSON.stringify(body) };
}
