import assert from "node:assert/strict";
import { test } from "node:test";
import { createSeededRandom, createSystemTimers } from "@twentysix/platform";
import { findLost } from "../support/check-kept.ts";
import { countOf, noAcknowledgements, runLoad } from "../support/load.ts";
import { startNode, verify } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** More with TWENTYSIX_KILLS, for instance through a night. */
const KILLS = Number(process.env.TWENTYSIX_KILLS ?? 5);
const SEED = Number(process.env.TWENTYSIX_SEED ?? 26);
const WORKERS = 12;
/** Answers before a kill: from the first ones to a node that has worked for a while. */
const MAX_ANSWERS = 250;
const MAX_DELAY_MS = 25;

test(`nothing acknowledged is lost by SIGKILL under load (${KILLS} kills, seed ${SEED})`, async (t) => {
  using folder = temporaryFolder("kill");
  const random = createSeededRandom(SEED);
  const timers = createSystemTimers();
  const acknowledged = noAcknowledgements();
  for (let round = 0; round < KILLS; round += 1) {
    const node = await startNode(folder.path);
    assert.deepEqual(await findLost(node.apiUrl, acknowledged), [], `after kill ${round}`);
    const ending = new AbortController();
    const killAfter = countOf(acknowledged) + 1 + random.uniform(MAX_ANSWERS);
    const delayMs = random.uniform(MAX_DELAY_MS);
    const killed = Promise.withResolvers<void>();
    const onAnswer = (): void => {
      if (countOf(acknowledged) < killAfter || ending.signal.aborted) return;
      ending.abort();
      timers.schedule(delayMs, () => node.kill().then(killed.resolve, killed.reject));
    };
    // The load goes on until the process is gone: the abort only marks that its end has begun.
    const signal = new AbortController().signal;
    await runLoad({
      apiUrl: node.apiUrl,
      acknowledged,
      seed: SEED * 100 + round,
      workers: WORKERS,
      signal,
      onAnswer,
    });
    await killed.promise;
    const report = await verify(folder.path);
    assert.deepEqual(report.problems, [], `verify after kill ${round + 1}`);
  }
  await using node = await startNode(folder.path);
  assert.deepEqual(await findLost(node.apiUrl, acknowledged), [], "after the last kill");
  const { processed, accepted, files } = acknowledged;
  t.diagnostic(`${processed.size} processed, ${accepted.size} accepted, ${files.size} files`);
});
