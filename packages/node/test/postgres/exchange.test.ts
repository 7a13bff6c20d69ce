import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { postgresDatabase, withoutPostgres } from "@twentysix/storage/test-postgres";
import { runCommand, startNode, verify } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { corpus } from "./corpus.ts";

describe("export, import and verify onPostgres", { skip: withoutPostgres }, () => {
  test("messages go from one engine to the other and back, and every copy verifies to the same root", async () => {
    using folder = temporaryFolder("exchange");
    const input = (await corpus()).map(({ envelope }) => `${envelope}\n`).join("");
    const stations = [
      { dataDir: join(folder.path, "first"), flags: ["--database", postgresDatabase()] },
      { dataDir: join(folder.path, "second"), flags: [] },
      { dataDir: join(folder.path, "third"), flags: ["--database", postgresDatabase()] },
    ];
    const roots: string[] = [];
    let lines = input;
    for (const { dataDir, flags } of stations) {
      const common = ["--data-dir", dataDir, "--log-level", "error", ...flags];
      const imported = await runCommand(["import", "--trust-forgotten", ...common], { input: lines });
      assert.equal(imported.exitCode, 0, imported.stderr);
      const report = await verify(dataDir, flags);
      assert.deepEqual(report.problems, []);
      assert.ok(report.count > 100, `${report.count} messages`);
      roots.push(report.root);
      const exported = await runCommand(["export", ...common]);
      assert.equal(exported.exitCode, 0, exported.stderr);
      lines = exported.stdout;
    }
    assert.equal(new Set(roots).size, 1, roots.join());
  });

  test("verify keeps away from a database that a node writes to, and says so", async () => {
    using folder = temporaryFolder("exchange");
    const flags = ["--database", postgresDatabase()];
    await using _node = await startNode(join(folder.path, "node"), { flags });
    const args = ["verify", "--data-dir", join(folder.path, "other"), ...flags];
    const { exitCode, stderr } = await runCommand(args);
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /another process writes to this database/);
  });
});
