import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startTestNode } from "../support/test-node.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const readme = readFileSync(`${root}README.md`, "utf8");
const DEFAULT_API = "http://127.0.0.1:4024";

test("the tour of the README runs as it is written", { timeout: 120_000 }, async (context) => {
  for (const command of ["bash", "curl", "cmp"]) {
    if (spawnSync(command, ["--version"]).status !== 0) {
      context.skip(`${command} is not on this machine`);
      return;
    }
  }
  const node = await startTestNode();
  after(() => node.remove());
  const script = tour().replaceAll(DEFAULT_API, node.apiUrl);
  // Inside the repository, so that the programs of the tour find its packages.
  mkdirSync(`${root}.cache`, { recursive: true });
  const folder = mkdtempSync(join(`${root}.cache`, "tour-"));
  after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "data"));
  writeFileSync(join(folder, "README.md"), readme);

  const { exitCode, stdout, stderr } = await run(script, folder);
  assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
  const lines = stdout.trim().split("\n");
  const [version, stateRoot, message, content, posts, messages, aggregate, same, file, store, post] = lines;
  assert.match(String(version), /^\{"version":/);
  assert.equal(JSON.parse(String(stateRoot)).count, 0);
  assert.equal(JSON.parse(String(message)).status, "processed");
  assert.deepEqual(JSON.parse(String(content)), { title: "Hello", tags: ["tour"] });
  assert.equal(JSON.parse(String(posts)).pagination_total, 1);
  assert.equal(JSON.parse(String(messages)).messages.length, 2);
  assert.deepEqual(JSON.parse(String(aggregate)).data, { profile: { name: "Ada" } });
  assert.equal(same, "the same bytes");
  assert.match(String(file), /^Qm\w{44} true$/);
  assert.match(String(store), /^STORE [0-9a-f]{64} true$/);
  assert.match(String(post), /^POST [0-9a-f]{64} true$/);
  assert.equal(lines.length, 11, stdout);
});

function tour(): string {
  const section = /^## Tour$([\s\S]*?)^## /m.exec(readme)?.[1] ?? assert.fail("the README has no tour");
  const blocks = [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block);
  assert.ok(blocks.length >= 5);
  return blocks.join("\n");
}

async function run(script: string, workingDir: string) {
  const child = spawn("bash", ["-euo", "pipefail", "-c", script], { cwd: workingDir });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
    });
  }
  const [exitCode] = await once(child, "close");
  return { exitCode, ...output };
}
