import assert from "node:assert/strict";
import { dirname } from "node:path";
import { describe, test } from "node:test";
import { createPointReads, type SqlConnection, SqliteConnection } from "@twentysix/storage";
import fc from "fast-check";
import { evm, forget, type Signed, store } from "./support/signed.ts";
import { networkDefinition, StateHarness, testFile } from "./support/state-harness.ts";

const local = networkDefinition("local");
const owners = [evm("stores much"), evm("stores more")];
const T = 1_700_000_000;

const sum = (connection: SqlConnection, query: string): number =>
  connection.get<{ n: number }>(query)?.n ?? 0;

/** What is counted of files, against what their pins come to. */
function assertCounted(node: StateHarness): void {
  const { connection } = node.store.session;
  const pinned = (kind: number): number =>
    sum(
      connection,
      `SELECT coalesce(sum(f.size), 0) AS n FROM pins p JOIN files f ON f.id = p.file_id WHERE p.kind = ${kind}`,
    );
  assert.equal(createPointReads(connection).totals().graceBytes, pinned(3));
  assert.equal(sum(connection, "SELECT sum(n) AS n FROM counters WHERE dimension = 16") || 0, pinned(1));
}

interface Step {
  readonly kind: "upload" | "store" | "forget";
  readonly file: number;
  readonly owner: number;
  /** Another one than before when the same CID comes as bytes and as blocks. */
  readonly sizeBytes: number;
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("upload", "upload", "store", "forget"),
    file: fc.nat(2),
    owner: fc.nat(1),
    sizeBytes: fc.integer({ min: 0, max: 1_000 }),
  }),
  { minLength: 1, maxLength: 20 },
);

describe("bytes of files", () => {
  test("without a message, and by owner, are counted right after every change", async () => {
    const property = fc.asyncProperty(steps, async (list) => {
      await using node = StateHarness.inMemory(local);
      const stored: Signed[] = [];
      for (const [n, { kind, file, owner, sizeBytes }] of list.entries()) {
        const account = owners[owner] ?? evm("nobody");
        const { hash } = testFile(file);
        if (kind === "upload") await node.holdForGrace({ hash, sizeBytes });
        if (kind === "store") stored.push(store(account, T + n, hash));
        if (kind === "store") await node.submit(stored.at(-1)?.text ?? "");
        const target = stored[file];
        if (kind === "forget" && target !== undefined)
          for (const by of owners) await node.submit(forget(by, T + n, [target.hash]).text);
        assertCounted(node);
      }
      await node.settle();
      assertCounted(node);
    });
    await fc.assert(property, { numRuns: 100, seed: 26 });
  });

  test("are counted once in a database that is older than the counter", async () => {
    await using node = await StateHarness.open(local);
    await node.holdForGrace({ hash: testFile(0).hash, sizeBytes: 7 });
    await node.holdForGrace({ hash: testFile(1).hash, sizeBytes: 5 });
    const old = new SqliteConnection(node.databasePath);
    old.exec("DELETE FROM counters WHERE dimension = 18; DELETE FROM meta WHERE key = 'counters_complete'");
    old.close();
    await using reopened = StateHarness.over(dirname(node.databasePath), local);
    assert.equal(createPointReads(reopened.store.session.connection).totals().graceBytes, 12);
  });
});
