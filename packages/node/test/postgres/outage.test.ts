import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openConnection } from "@twentysix/storage";
import { postgresDatabase, withoutPostgres } from "@twentysix/storage/test-postgres";
import { startNode } from "../support/node-process.ts";
import { get, putRaw, rawAccount } from "../support/raw-messages.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const account = rawAccount("outage");
const note = { account, type: "POST" as const, members: '"type":"note","content":"kept"' };

describe("a node onPostgres whose sessions are cut", { skip: withoutPostgres }, () => {
  test("goes on reading by new ones, and ends when it has lost the right to write", async () => {
    using folder = temporaryFolder("outage");
    const database = postgresDatabase();
    await using node = await startNode(folder.path, { flags: ["--database", database] });
    const { itemHash } = await putRaw(node, note);
    const paths = [`/api/v0/messages/${itemHash}`, "/api/v0/messages.json"];
    for (const path of paths) assert.equal((await get(node, path)).status, 200);
    assert.ok(cut(database, "twentysix reader") >= 2);
    for (const path of paths) {
      // At most the first one meets the connection that is gone.
      const answers = [await get(node, path), await get(node, path)].map(({ status }) => status);
      assert.ok(answers[0] === 200 || answers[0] === 503, `${path}: ${answers}`);
      assert.equal(answers[1], 200, path);
    }
    assert.equal(cut(database, "twentysix writer"), 1);
    const { exitCode } = await node.ended;
    assert.equal(exitCode, 1);
    assert.match(node.stderr, /check that the PostgreSQL server runs/);
    await using again = await startNode(folder.path, { flags: ["--database", database] });
    assert.equal((await get(again, paths[0] ?? "")).status, 200);
  });
});

/** Ends the sessions of a name, as a restart of the server or an operator does; returns how many. */
function cut(database: string, name: string): number {
  const operator = openConnection(database);
  const ended = operator.all(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ? AND datname = current_database()",
    name,
  );
  operator.close();
  return ended.length;
}
