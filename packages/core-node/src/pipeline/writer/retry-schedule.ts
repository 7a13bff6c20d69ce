import type { Random } from "@twentysix/platform";
import type { NetworkLimits } from "@twentysix/protocol";

const MAX_DELAY_SECONDS = 300;
/** Missing content is worth waiting for: growing intervals, days rather than minutes. */
const MORE_CONTENT_RETRIES = 14;
const MAX_CONTENT_DELAY_SECONDS = 6 * 3600;

const MICROS = 1_000_000;

/**
 * When to try again after `attempts` earlier failures; null to give up.
 *
 * The network's schedule is a random delay of up to min(2^n, 300) seconds and `messageRetries` attempts after the
 * first. Content that no peer has yet (codes 3 and 4) is retried for about three days instead.
 * Source: pyaleph `src/aleph/jobs/job_utils.py`.
 */
export function nextAttemptMicros(
  code: number,
  attempts: number,
  nowMicros: bigint,
  random: Random,
  { messageRetries }: Pick<NetworkLimits, "messageRetries">,
): bigint | null {
  const isContent = code === 3 || code === 4;
  if (attempts >= messageRetries + (isContent ? MORE_CONTENT_RETRIES : 0)) return null;
  const ceiling = isContent ? MAX_CONTENT_DELAY_SECONDS : MAX_DELAY_SECONDS;
  const delaySeconds = Math.min(2 ** attempts, ceiling);
  return nowMicros + BigInt(random.uniform(delaySeconds * MICROS));
}
