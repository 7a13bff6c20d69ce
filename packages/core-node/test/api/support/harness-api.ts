import type { NetworkDefinition } from "@twentysix/protocol";
import { localPointReads } from "@twentysix/storage";
import { createLedgerAnswers, type LedgerAnswers } from "../../../src/ledger/ledger-answers.ts";
import { createLedgerCalls } from "../../../src/ledger/ledger-calls.ts";
import { stateRulesOf } from "../../../src/pipeline/state-rules.ts";
import { submissionRules } from "../../../src/pipeline/submission-rules.ts";
import { isLedgerCall } from "../../../src/reader/run-read-call.ts";
import { createEconomy } from "../../../src/services/economy.ts";
import { noRecalculation } from "../../../src/services/read-only.ts";
import type { StateHarness } from "../../pipeline/support/state-harness.ts";
import { type Lifetime, startApi, type TestApi } from "./start-api.ts";

/** The API over a node whose time the test sets. */
export function apiOver(t: Lifetime, node: StateHarness, definition: NetworkDefinition): Promise<TestApi> {
  const reads = localPointReads(node.reads);
  const rules = stateRulesOf(definition, definition.limits.gracePeriodSeconds * 1_000);
  const ledger = ledgerOver(node, { rules: submissionRules(rules), definition });
  const economy = createEconomy({ definition, rules, reads, ledger, recalculation: noRecalculation });
  return startApi(t, { services: { reads, economy, ledger } });
}

/** What the reader thread answers about money, on this thread and by the time of the test. */
function ledgerOver(node: StateHarness, settings: Parameters<typeof createLedgerCalls>[1]): LedgerAnswers {
  const clock = { nowMicros: () => node.nowMicros };
  const answer = createLedgerCalls(node.store.session.connection, settings, clock);
  return createLedgerAnswers({
    call: async (call) => {
      if (!isLedgerCall(call)) throw new Error("a question about money was expected");
      return await answer(call);
    },
  });
}
