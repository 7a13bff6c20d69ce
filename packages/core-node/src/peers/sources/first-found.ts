import type { Timers } from "@twentysix/platform";

/** The next one is asked when those before have not answered for so long. */
const HEDGE_MS = 300;

export interface Found<Source, Answer> {
  readonly source: Source;
  readonly answer: Answer;
  /** Those that were not asked, or were not waited for. */
  readonly others: readonly Source[];
}

/**
 * Asks one after the other, the next as soon as one has nothing or none has answered for 300 ms. The first that has
 * something wins, and what the others are doing ends. null: nobody has it.
 */
export async function firstFound<Source, Answer extends { end(): void }>(
  sources: readonly Source[],
  ask: (source: Source, signal: AbortSignal) => Promise<Answer | null>,
  timers: Timers,
  signal: AbortSignal,
): Promise<Found<Source, Answer> | null> {
  const waiting = [...sources];
  const asked = new Map<
    Source,
    { readonly stop: AbortController; readonly answer: Promise<Answer | null> }
  >();
  for (;;) {
    signal.throwIfAborted();
    const next = waiting.shift();
    if (next !== undefined) {
      const stop = new AbortController();
      asked.set(next, { stop, answer: ask(next, AbortSignal.any([signal, stop.signal])) });
    } else if (asked.size === 0) return null;
    const answered = await firstAnswer(asked, waiting.length > 0 ? timers : null);
    if (answered === null) continue;
    asked.delete(answered.source);
    if (answered.answer === null) continue;
    for (const other of asked.values()) giveUp(other.stop, other.answer);
    return { source: answered.source, answer: answered.answer, others: [...asked.keys(), ...waiting] };
  }
}

/** null: nobody has answered in time. */
async function firstAnswer<Source, Answer>(
  asked: ReadonlyMap<Source, { readonly answer: Promise<Answer | null> }>,
  timers: Timers | null,
): Promise<{ readonly source: Source; readonly answer: Answer | null } | null> {
  const answers = [...asked].map(async ([source, { answer }]) => ({ source, answer: await answer }));
  if (timers === null) return await Promise.race(answers);
  let cancel = (): void => undefined;
  const pause = new Promise<null>((resolve) => {
    cancel = timers.schedule(HEDGE_MS, () => resolve(null));
  });
  try {
    return await Promise.race([...answers, pause]);
  } finally {
    cancel();
  }
}

function giveUp<Answer extends { end(): void }>(stop: AbortController, answer: Promise<Answer | null>): void {
  stop.abort();
  // It may have been on its way; a refusal is of no interest any more.
  answer.then(
    (late) => late?.end(),
    () => undefined,
  );
}
