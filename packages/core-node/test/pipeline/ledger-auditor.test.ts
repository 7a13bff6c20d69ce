import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryLogger, createVirtualTime } from "@twentysix/platform";
import { type LedgerAudit, LedgerAuditor } from "../../src/pipeline/writer/ledger-auditor.ts";
import { ledgerInUse, local } from "../ledger/support/ledger-in-use.ts";
import { balancePost, distribution, outcomes } from "../ledger/support/ledger-node.ts";
import type { StateHarness } from "./support/state-harness.ts";

const START_MICROS = 1_800_000_000_000_000n;

function auditorOver(node: StateHarness) {
  const { clock, timers, advance } = createVirtualTime(START_MICROS);
  const log = createMemoryLogger();
  let audit: LedgerAudit | null = null;
  let due = 0;
  const auditor = new LedgerAuditor({
    connection: node.store.session.connection,
    rules: local.switches,
    clock,
    timers,
    log,
    onAudit: (told) => {
      audit = told;
    },
    onDue: () => {
      due += 1;
    },
  });
  /** As the writer's loop does it: when it is told to, and until there is nothing to do. */
  const pass = async (ms: number): Promise<LedgerAudit | null> => {
    for (let left = ms; left > 0; left -= 1_000) {
      await advance(1_000);
      for (; due > 0; due -= 1) assert.ok(auditor.advance());
      assert.ok(!auditor.advance(), "nothing more is due");
    }
    return audit;
  };
  return { auditor, pass, log };
}

test("a sound ledger is looked at again and again, account by account, without a word", async () => {
  const { node } = await ledgerInUse();
  await using _ = node;
  const many = Object.fromEntries(Array.from({ length: 40 }, (_one, index) => [`0xMany${index}`, index + 1]));
  await outcomes(node, balancePost(1_790_001_000, many));
  const { auditor, pass, log } = auditorOver(node);
  assert.equal(await pass(4_000), null);
  assert.deepEqual(await pass(1_000), {
    checkedAccounts: 16,
    largeAccounts: 0,
    faults: 0,
    lastPassMicros: null,
  });
  const whole = await pass(15_000);
  assert.equal(whole?.lastPassMicros, START_MICROS + 20_000_000n);
  const { checkedAccounts } = whole;
  assert.ok(checkedAccounts >= 42);
  assert.equal((await pass(3_600_000 + 20_000))?.checkedAccounts, 2 * checkedAccounts);
  assert.deepEqual(log.records, []);
  auditor.close();
});

test("what does not add up is told, with both figures", async () => {
  const { node } = await ledgerInUse();
  await using _ = node;
  node.store.session.connection.exec("UPDATE accounts SET tokens = '1' WHERE tokens <> '0'");
  node.store.session.connection.exec("UPDATE credit_lots SET remaining = remaining + 1");
  const { auditor, pass, log } = auditorOver(node);
  const audit = await pass(60_000);
  assert.ok(audit !== null && audit.faults >= 2);
  const told = log.records.flatMap(({ fields }) => (fields as { problems: string[] }).problems);
  assert.equal(told.length, audit.faults);
  assert.match(told.join("\n"), /the tokens of 0x\w+ are 1, computed/);
  assert.match(told.join("\n"), /the lots of 0x/);
  auditor.close();
});

test("an account too large for it does not hold it up", async () => {
  const { node } = await ledgerInUse();
  await using _ = node;
  const entries = Array.from({ length: 1_001 }, () => ({ address: "0xLarge", amount: 1 }));
  const grants = [0, 1, 2, 3].map((index) => distribution(1_790_001_000 + index, ...entries));
  assert.deepEqual(
    await outcomes(node, ...grants),
    grants.map(() => "processed"),
  );
  const { auditor, pass } = auditorOver(node);
  const audit = await pass(60_000);
  assert.equal(audit?.largeAccounts, 1);
  assert.equal(audit.faults, 0);
  assert.notEqual(audit.lastPassMicros, null);
  auditor.close();
});
