import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSeededRandom } from "@twentysix/platform";
import { postgresDatabase, withoutPostgres } from "@twentysix/storage/test-postgres";
import { findLost } from "../support/check-kept.ts";
import { countOf, noAcknowledgements, runLoad } from "../support/load.ts";
import { startNode, verify } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const KILLS = Number(process.env.TWENTYSIX_KILLS ?? 2);
const SEED = 26;
const WORKERS = 12;
const MAX_ANSWERS = 150;

describe("a node onPostgres", { skip: withoutPostgres }, () => {
  test(`loses nothing acknowledged by SIGKILL under load (${KILLS} kills)`, async (t) => {
    using folder = temporaryFolder("kill");
    const flags = ["--database", postgresDatabase()];
    const random = createSeededRandom(SEED);
    const acknowledged = noAcknowledgements();
    for (let round = 0; round < KILLS; round += 1) {
      const node = await startNode(folder.path, { flags });
      assert.deepEqual(await findLost(node.apiUrl, acknowledged), [], `after kill ${round}`);
      const killAfter = countOf(acknowledged) + 50 + random.uniform(MAX_ANSWERS);
      const killed = Promise.withResolvers<void>();
      let isDying = false;
      const onAnswer = (): void => {
        if (countOf(acknowledged) < killAfter || isDying) return;
        isDying = true;
        node.kill().then(killed.resolve, killed.reject);
      };
      const signal = new AbortController().signal;
      const seed = SEED * 100 + round;
      await runLoad({ apiUrl: node.apiUrl, acknowledged, seed, workers: WORKERS, signal, onAnswer });
      await killed.promise;
      const report = await verify(folder.path, flags);
      assert.deepEqual(report.problems, [], `verify after kill ${round + 1}`);
    }
    await using node = await startNode(folder.path, { flags });
    assert.deepEqual(await findLost(node.apiUrl, acknowledged), [], "after the last kill");
    t.diagnostic(`${acknowledged.processed.size} processed, ${acknowledged.accepted.size} accepted`);
  });
});
