import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runTool } from "../../../src/processes/run-tool.ts";

const SCRIPT = fileURLToPath(new URL("./failures.py", import.meta.url));
const ZYGOTE = fileURLToPath(new URL("../../../guest/agent/zygote", import.meta.url));

interface Told {
  readonly application: string;
  readonly kind: string;
  readonly told: readonly unknown[];
}

test("what an application raises is told in place of the framework's answer; its own answers go as they are", async () => {
  const output = await runTool("python3", ["-B", SCRIPT, ZYGOTE], { signal: AbortSignal.timeout(30_000) });
  const lines = output.split("\n").filter((line) => line.startsWith("TOLD "));
  const told = new Map(
    lines.map((line) => {
      const { application, kind, told } = JSON.parse(line.slice("TOLD ".length)) as Told;
      return [`${application} ${kind}`, told];
    }),
  );
  assert.deepEqual(told.get("good http"), [[200, []], "good"]);
  assert.deepEqual(told.get("own_500 http"), [[500, []], "sorry"]);
  assert.deepEqual(told.get("streamed_500 http"), [[500, []], "one", "the application goes on", "two"]);
  for (const [name, error] of [
    ["framework", "KeyError: 'lost'"],
    ["silent", "KeyError: 'silent'"],
  ]) {
    const [head, text] = told.get(`${name} http`) ?? [];
    assert.deepEqual(head, [500, ["content-type", "aleph-traceback"]]);
    assert.match(String(text), /^Traceback \(most recent call last\)/);
    assert.ok(String(text).includes(String(error)));
    assert.equal(told.get(`${name} http`)?.length, 2);
  }
  assert.deepEqual(told.get("late http"), [[200, []], "raised 'late'"]);
  assert.deepEqual(
    told.get("silent websocket"),
    ["raised 'silent'"],
    "only answers of HTTP have a place for it",
  );
});
