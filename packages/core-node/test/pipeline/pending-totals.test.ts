import assert from "node:assert/strict";
import { dirname } from "node:path";
import { describe, test } from "node:test";
import { createSeededRandom, shuffled } from "@twentysix/platform";
import { MESSAGE_TYPES } from "@twentysix/protocol";
import { createPointReads, type SqlConnection, SqliteConnection } from "@twentysix/storage";
import fc from "fast-check";
import { messagesOf, moves } from "./support/adversarial.ts";
import { amend, evm, forget, grant, post, program, store } from "./support/signed.ts";
import { networkDefinition, StateHarness, testFile } from "./support/state-harness.ts";

const local = networkDefinition("local");
const owner = evm("of pending messages");
const friend = evm("who waits for a right");
const T = 1_700_000_000;
const UNKNOWN = "ab".repeat(32);

type Totals = Pick<
  ReturnType<ReturnType<typeof createPointReads>["totals"]>,
  "pendingByType" | "pendingMessages"
>;

function kept(connection: SqlConnection): Totals {
  const { pendingByType, pendingMessages } = createPointReads(connection).totals();
  return { pendingByType, pendingMessages };
}

/** The same, counted from what is queued. */
function counted(connection: SqlConnection): Totals {
  const rows = connection.all<{ envelope: string }>(
    "SELECT envelope FROM candidates WHERE next_attempt_us IS NOT NULL",
  );
  const types = rows.map(({ envelope }) => (JSON.parse(envelope) as { type: string }).type);
  const count = (type: string): number => types.filter((one) => one === type).length;
  const byType = Object.fromEntries(MESSAGE_TYPES.map((type) => [type, count(type)]));
  return { pendingByType: byType as Totals["pendingByType"], pendingMessages: types.length };
}

function assertKept(node: StateHarness): void {
  const { connection } = node.store.session;
  assert.deepEqual(kept(connection), counted(connection));
}

describe("how many messages of each type wait", () => {
  test("is told, and goes down as they are accepted, forgotten or given up", async () => {
    await using node = await StateHarness.open(local);
    const pending = (): Partial<Totals["pendingByType"]> => {
      assertKept(node);
      const { pendingByType } = kept(node.store.session.connection);
      return Object.fromEntries(Object.entries(pendingByType).filter(([, n]) => n > 0));
    };
    const original = post(owner, T, "original");
    const file = store(owner, T, testFile(1).hash);
    await node.submit(
      amend(owner, T + 1, original.hash, "a").text,
      amend(owner, T + 2, original.hash, "b").text,
    );
    await node.submit(file.text, program(owner, T + 3, file.hash).text, forget(owner, T + 4, [UNKNOWN]).text);
    assert.deepEqual(pending(), { POST: 2, STORE: 1, PROGRAM: 1, FORGET: 1 });
    await node.submit(original.text);
    await node.hold(testFile(1));
    await node.runDue();
    await node.runDue();
    assert.deepEqual(pending(), { FORGET: 1 });
    await node.settle();
    assert.deepEqual(pending(), {});
  });

  test("counts what is woken after it had been refused", async () => {
    await using node = await StateHarness.open(local);
    await node.submit(post(friend, T + 1, "too early", { owner: owner.address }).text);
    assert.equal(kept(node.store.session.connection).pendingMessages, 0);
    await node.submit(grant(owner, T, { address: friend.address }).text);
    assertKept(node);
    assert.equal(kept(node.store.session.connection).pendingByType.POST, 1);
    await node.settle();
    assert.equal(kept(node.store.session.connection).pendingMessages, 0);
  });

  test("is right after every batch, whatever comes in whatever order", async () => {
    const property = fc.asyncProperty(
      moves(2, 10),
      fc.nat(),
      fc.constantFrom("local", "mainnet"),
      async (list, seed, name) => {
        await using node = StateHarness.inMemory(networkDefinition(name as "local" | "mainnet"));
        await node.hold(testFile(0), testFile(1));
        for (const { text } of shuffled(createSeededRandom(seed), messagesOf(list))) {
          await node.submit(text);
          assertKept(node);
        }
        await node.hold(testFile(2));
        await node.runDue();
        assertKept(node);
        await node.settle();
        assertKept(node);
      },
    );
    await fc.assert(property, { numRuns: 100, seed: 26 });
  });

  test("is counted once in a database that is older than the counter", async () => {
    await using node = await StateHarness.open(local);
    await node.submit(amend(owner, T + 1, UNKNOWN, "a").text, store(owner, T, testFile(1).hash).text);
    const old = new SqliteConnection(node.databasePath);
    old.exec("DELETE FROM counters WHERE dimension = 14; DELETE FROM meta WHERE key = 'counters_complete'");
    assert.equal(kept(old).pendingMessages, 0);
    await using reopened = StateHarness.over(dirname(node.databasePath), local);
    assertKept(reopened);
    assert.equal(kept(old).pendingMessages, 2);
    old.close();
  });
});
