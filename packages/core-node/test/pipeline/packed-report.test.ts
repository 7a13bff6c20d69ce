import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { messageError } from "@twentysix/protocol";
import fc from "fast-check";
import { packReport, unpackReport } from "../../src/pipeline/packed-report.ts";
import type { BatchReport, CopyResult, ItemChange } from "../../src/pipeline/writer/jobs.ts";

const hash = fc.stringMatching(/^[0-9a-f]{64}$/);
const status = fc.constantFrom<CopyResult["status"]>("processed", "pending", "rejected", "forgotten");

const result: fc.Arbitrary<CopyResult> = fc.record(
  {
    jobId: fc.nat(),
    itemHash: fc.option(hash, { nil: null }),
    status,
    refused: fc.boolean(),
    known: fc.boolean(),
    errorCode: fc.constantFrom(0, 2, 101),
    errorText: fc.constantFrom("", "why"),
    details: fc.constantFrom(null, { errors: ["why"] }),
  },
  { requiredKeys: ["jobId", "itemHash", "status", "refused", "known"], noNullPrototype: true },
);
const change: fc.Arbitrary<ItemChange> = fc.record(
  {
    itemHash: hash,
    status,
    error: fc.constantFrom(null, messageError("INVALID_SIGNATURE", { errors: ["why"] })),
  },
  { noNullPrototype: true },
);
const report: fc.Arbitrary<BatchReport> = fc.record(
  {
    results: fc.uniqueArray(result, { selector: ({ jobId }) => jobId }),
    changes: fc.array(change),
    sideJobs: fc.array(fc.nat()),
    processed: fc.nat(),
    woken: fc.nat(),
  },
  { noNullPrototype: true },
);

const byJob = (results: readonly CopyResult[]): CopyResult[] =>
  [...results].sort((a, b) => a.jobId - b.jobId);

describe("a report between threads", () => {
  it("says the same after the way, changes in their order", () => {
    fc.assert(
      fc.property(report, (sent) => {
        const received = unpackReport(structuredClone(packReport(sent)));
        assert.deepEqual(
          { ...received, results: byJob(received.results) },
          { ...sent, results: byJob(sent.results) },
        );
      }),
    );
  });
});
