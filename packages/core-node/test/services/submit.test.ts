import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDeferred, createVirtualTime } from "@twentysix/platform";
import type { PublicationStatus } from "../../src/api/services.ts";
import type { CopyResult, ItemChange } from "../../src/pipeline/writer/jobs.ts";
import { ItemWatch } from "../../src/services/item-watch.ts";
import { createSubmit, type SubmitServices } from "../../src/services/submit.ts";

const HASH = "ab".repeat(32);
const PUBLISHED: PublicationStatus = { status: "success", failed: [], recipients: 3 };
const QUEUED = { jobId: 1, itemHash: HASH, status: "pending", refused: false, known: false } as CopyResult;
const PROCESSED: ItemChange = { itemHash: HASH, status: "processed", error: null };

/** A submission that is queued, and published when the test says so. */
function submission() {
  const items = new ItemWatch();
  const publishing = createDeferred<void>();
  const published = createDeferred<PublicationStatus>();
  const { timers, advance } = createVirtualTime();
  // Of the pipeline and the budgets nothing else is asked.
  const pipeline = { submit: async () => QUEUED } as unknown as SubmitServices["pipeline"];
  const budgets = { assertRoom: () => undefined } as unknown as SubmitServices["budgets"];
  const publish = (): Promise<PublicationStatus> => {
    publishing.resolve();
    return published.promise;
  };
  const submit = createSubmit({ pipeline, items, budgets, timers, publish });
  const { signal } = new AbortController();
  const outcome = submit("{}", { origin: "http", sync: true, timeoutMs: 30_000, signal });
  return {
    items,
    advance,
    outcome,
    publishing: publishing.promise,
    publish: () => published.resolve(PUBLISHED),
  };
}

describe("whoever waits for the outcome of a message", () => {
  test("hears of it when it comes while the message is being published", async () => {
    const one = submission();
    await one.publishing;
    one.items.tell([PROCESSED]);
    one.publish();
    assert.equal((await one.outcome).status, "processed");
  });

  test("hears of it when it comes afterwards, and that it is pending when it does not", async () => {
    const one = submission();
    await one.publishing;
    one.publish();
    await one.advance(1_000);
    one.items.tell([PROCESSED]);
    assert.deepEqual([(await one.outcome).status, (await one.outcome).publication], ["processed", PUBLISHED]);
    const other = submission();
    await other.publishing;
    other.publish();
    await other.advance(30_000);
    assert.equal((await other.outcome).status, "pending");
  });
});
