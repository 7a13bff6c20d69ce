import type { ForecastFacts } from "@twentysix/storage";

const ATTO = 10n ** 18n;
const MICROS_PER_SECOND = 1_000_000n;

type Lot = ForecastFacts["lots"][number];

/** How long credits last when nothing is added and nothing changes. */
export interface Forecast {
  readonly credits: bigint;
  /** null: nothing is spent. */
  readonly runwayMicros: bigint | null;
  readonly expirations: readonly Expiration[];
  /** If credits were spent in the order in which they expire. */
  readonly soonestFirst: Pick<Forecast, "runwayMicros" | "expirations">;
  readonly nextRemoval: NextRemoval | null;
}

export interface Expiration {
  readonly atMicros: bigint;
  readonly amount: bigint;
  /** What of it will not have been spent by then. */
  readonly unspent: bigint;
}

export interface NextRemoval {
  readonly itemHash: string;
  /** Decided already, or to be expected. */
  readonly isMarked: boolean;
  readonly reason: "balance_insufficient" | "credit_insufficient";
  /** Not removed before. */
  readonly atMicros: bigint;
}

export interface ForecastRules {
  /** Credits must last this long. */
  readonly creditRuntimeSeconds: bigint;
  readonly removalGraceMicros: bigint;
}

/** Looks ahead at an account as it is: credits are spent lot by lot at the rate that its messages take. */
export function forecast(facts: ForecastFacts, rules: ForecastRules, nowMicros: bigint): Forecast {
  const { lots, creditAttoPerSecond: rate } = facts;
  const spans = spend(lots, rate, nowMicros);
  return {
    credits: lots.reduce((sum, { remaining }) => sum + remaining, 0n),
    ...outcomeOf(spans, rate, nowMicros),
    soonestFirst: outcomeOf(spend(lots.toSorted(bySoonestExpiry), rate, nowMicros), rate, nowMicros),
    nextRemoval:
      facts.marked === null ? expectedRemoval(facts, spans, rules, nowMicros) : markedRemoval(facts.marked),
  };
}

function outcomeOf(
  spans: readonly Span[],
  rate: bigint,
  nowMicros: bigint,
): Pick<Forecast, "runwayMicros" | "expirations"> {
  return {
    runwayMicros: rate === 0n ? null : (spans.at(-1)?.untilMicros ?? nowMicros) - nowMicros,
    expirations: expirationsOf(spans),
  };
}

/** What never expires comes last. */
function bySoonestExpiry({ expirationMicros: a }: Lot, { expirationMicros: b }: Lot): number {
  if (a === b) return 0;
  return b === null || (a !== null && a < b) ? -1 : 1;
}

/** When a lot is spent, and what of it expires instead. */
interface Span extends Lot {
  readonly fromMicros: bigint;
  readonly untilMicros: bigint;
  readonly unspent: bigint;
}

/** Lots are spent one after the other, each until it is empty or expires. */
function spend(lots: readonly Lot[], rate: bigint, nowMicros: bigint): Span[] {
  let clock = nowMicros;
  return lots.map((lot) => {
    const fromMicros = clock;
    const { remaining, expirationMicros } = lot;
    if (rate === 0n) return { ...lot, fromMicros, untilMicros: fromMicros, unspent: remaining };
    const emptyMicros = fromMicros + (remaining * ATTO * MICROS_PER_SECOND) / rate;
    const expires = expirationMicros !== null && expirationMicros < emptyMicros;
    const untilMicros = expires ? later(expirationMicros, fromMicros) : emptyMicros;
    clock = untilMicros;
    const spent = expires ? spentIn(rate, untilMicros - fromMicros) : remaining;
    return { ...lot, fromMicros, untilMicros, unspent: remaining - spent };
  });
}

const spentIn = (rate: bigint, micros: bigint): bigint => (rate * micros) / (ATTO * MICROS_PER_SECOND);
const later = (a: bigint, b: bigint): bigint => (a > b ? a : b);

function expirationsOf(spans: readonly Span[]): Expiration[] {
  const byDate = new Map<bigint, { amount: bigint; unspent: bigint }>();
  for (const { expirationMicros, remaining, unspent } of spans) {
    if (expirationMicros === null) continue;
    const known = byDate.get(expirationMicros) ?? { amount: 0n, unspent: 0n };
    byDate.set(expirationMicros, { amount: known.amount + remaining, unspent: known.unspent + unspent });
  }
  return [...byDate]
    .map(([atMicros, amounts]) => ({ atMicros, ...amounts }))
    .sort((a, b) => (a.atMicros < b.atMicros ? -1 : 1));
}

const markedRemoval = (marked: NonNullable<ForecastFacts["marked"]>): NextRemoval => ({
  itemHash: marked.itemHash,
  isMarked: true,
  reason: marked.reason,
  atMicros: marked.deleteByMicros,
});

/** The first message that credits will not reach for, and the end of its grace. */
function expectedRemoval(
  { firstToGo }: ForecastFacts,
  spans: readonly Span[],
  { creditRuntimeSeconds, removalGraceMicros }: ForecastRules,
  nowMicros: bigint,
): NextRemoval | null {
  if (firstToGo === null) return null;
  const neededAtto = firstToGo.creditAttoPerSecond * creditRuntimeSeconds;
  const shortMicros = firstBelow(spans, neededAtto, nowMicros);
  return {
    itemHash: firstToGo.itemHash,
    isMarked: false,
    reason: "credit_insufficient",
    atMicros: shortMicros + removalGraceMicros,
  };
}

/** When less than so much is left. What is left only declines, so the moment can be halved in on. */
function firstBelow(spans: readonly Span[], neededAtto: bigint, nowMicros: bigint): bigint {
  let enough = nowMicros;
  let short = spans.reduce((end, { untilMicros }) => later(end, untilMicros), nowMicros) + 1n;
  if (leftAtto(spans, nowMicros) < neededAtto) return nowMicros;
  while (short - enough > MICROS_PER_SECOND) {
    const middle = (enough + short) / 2n;
    if (leftAtto(spans, middle) < neededAtto) short = middle;
    else enough = middle;
  }
  return short;
}

function leftAtto(spans: readonly Span[], atMicros: bigint): bigint {
  let left = 0n;
  for (const { remaining, expirationMicros, fromMicros, untilMicros, unspent } of spans) {
    if (untilMicros <= atMicros && unspent === 0n) continue;
    if (expirationMicros !== null && expirationMicros <= atMicros) continue;
    const spent = remaining - unspent;
    const span = untilMicros - fromMicros;
    const passed = atMicros <= fromMicros ? 0n : atMicros - fromMicros;
    const part = span <= 0n || passed >= span ? spent * ATTO : (spent * ATTO * passed) / span;
    left += remaining * ATTO - (atMicros <= fromMicros ? 0n : part);
  }
  return left;
}
