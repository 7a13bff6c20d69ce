import { setTimeout as sleep } from "node:timers/promises";

/** Asks again until the answer is yes; the time limit of the test is the only one. */
export async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(10);
}
