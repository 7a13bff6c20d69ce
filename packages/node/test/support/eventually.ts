// As a namespace: an early version of the runtime does not tell a test's context.
import * as runner from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const LIMIT_MS = 240_000;

/**
 * Asks again until the answer is yes, for as long as the test runs that asks: what has timed out stops asking, or its
 * process would never end.
 *
 * @throws Error the answer was no for four minutes
 */
export async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const ended = runner.getTestContext?.()?.signal;
  // After waiting for what an earlier test began, the runtime names that test, which has ended.
  const isOurs = ended !== undefined && !ended.aborted;
  const signal = AbortSignal.any([AbortSignal.timeout(LIMIT_MS), ...(isOurs ? [ended] : [])]);
  const asked = new Error("What was to become so has not"); // Its stack tells which of them.
  while (!(await isSo())) {
    if (signal.aborted) throw asked;
    await sleep(10);
  }
}
