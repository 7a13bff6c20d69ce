import type { Random } from "@twentysix/platform";

/** Failures after which a copy is given up, unless only its content is missing. */
const MAX_RETRIES = 10;
const MAX_DELAY_SECONDS = 300;
/** Missing content is worth waiting for: growing intervals, days rather than minutes. */
const MAX_CONTENT_RETRIES = 24;
const MAX_CONTENT_DELAY_SECONDS = 6 * 3600;

const MICROS = 1_000_000;

/**
 * When to try again after `attempts` earlier failures; null to give up.
 *
 * The network's schedule is a random delay of up to min(2^n, 300) seconds and eleven attempts. Content that no
 * peer has yet (codes 3 and 4) is retried for about three days instead. Source: pyaleph `src/aleph/jobs/job_utils.py`.
 */
export function nextAttemptMicros(
  code: number,
  attempts: number,
  nowMicros: bigint,
  random: Random,
): bigint | null {
  const isContent = code === 3 || code === 4;
  if (attempts >= (isContent ? MAX_CONTENT_RETRIES : MAX_RETRIES)) return null;
  const ceiling = isContent ? MAX_CONTENT_DELAY_SECONDS : MAX_DELAY_SECONDS;
  const delaySeconds = Math.min(2 ** attempts, ceiling);
  return nowMicros + BigInt(random.uniform(delaySeconds * MICROS));
}
