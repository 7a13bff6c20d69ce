import { describe, it } from "node:test";
import { withoutPostgres } from "@twentysix/storage/test-postgres";
import { harnessOn } from "../pipeline/support/state-harness.ts";
import { reusedDatabases } from "./reused-databases.ts";

/*
 * What messages come to, onPostgres: tests of the pipeline with a database of the other engine under them. Each
 * harness has its own.
 */
if (withoutPostgres === false) {
  harnessOn(reusedDatabases());
  await import("../api/explained-refusals.test.ts");
  await import("../api/explained-removals.test.ts");
  await import("../api/quotes.test.ts");
  await import("../ledger/account-mark.test.ts");
  await import("../ledger/balances.test.ts");
  await import("../ledger/credits.test.ts");
  await import("../ledger/ended-costs.test.ts");
  await import("../ledger/payment-gates.test.ts");
  await import("../ledger/price-lists.test.ts");
  await import("../ledger/sweeps.test.ts");
  await import("../pipeline/big-integers.test.ts");
  await import("../pipeline/price-hook.test.ts");
  await import("../pipeline/reference-behaviours-delegates.test.ts");
  await import("../pipeline/reference-behaviours-envelopes.test.ts");
  await import("../pipeline/reference-behaviours-forget.test.ts");
  await import("../pipeline/reference-behaviours-machines.test.ts");
  await import("../pipeline/reference-behaviours-queue.test.ts");
  await import("../pipeline/reference-behaviours-revisions.test.ts");
  await import("../pipeline/refused-copies.test.ts");
} else {
  describe("what messages come to, onPostgres", () => {
    it("is tested where there is a server", { skip: withoutPostgres }, () => undefined);
  });
}
