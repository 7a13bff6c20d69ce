import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { startTestNode } from "../../support/test-node.ts";
import { installPythonClient, runPythonRound } from "./python-client.ts";

const unavailable = installPythonClient();
const script = readFileSync(new URL("./round.py", import.meta.url), "utf8");
const checks = [...script.matchAll(/^@check\nasync def (\w+)/gm)].map(([, name]) => name);

test("the published Python client", { skip: unavailable ?? false, timeout: 300_000 }, async (context) => {
  using folder = temporaryFolder("python");
  const node = await startTestNode();
  context.after(() => node.remove());
  const results = await runPythonRound(node.apiUrl, folder.path);
  assert.deepEqual(
    results.map(({ check }) => check),
    checks,
  );
  for (const { check, problem } of results) {
    await context.test(check.replaceAll("_", " "), () => {
      assert.equal(problem, null, problem ?? "");
    });
  }
});
