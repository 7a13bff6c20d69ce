import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { findLost } from "../support/check-kept.ts";
import { countOf, noAcknowledgements, runLoad } from "../support/load.ts";
import { runCommand, startNode, verify } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ANSWERS = 60;

// The command leaves with another code when its clean stop takes longer than 4.5 s.
test("SIGTERM under load: what was taken on is finished, the exit code is 0", async () => {
  using folder = temporaryFolder("stop");
  const acknowledged = noAcknowledgements();
  const node = await startNode(folder.path);
  const stopped = Promise.withResolvers<Awaited<ReturnType<typeof node.stop>>>();
  let isStopping = false;
  await runLoad({
    apiUrl: node.apiUrl,
    acknowledged,
    seed: 7,
    workers: 16,
    // The load goes on until nobody answers any more.
    signal: new AbortController().signal,
    onAnswer: () => {
      if (isStopping || countOf(acknowledged) < ANSWERS) return;
      isStopping = true;
      node.stop().then(stopped.resolve, stopped.reject);
    },
  });
  assert.deepEqual(await stopped.promise, { exitCode: 0, signal: null }, node.stderr);
  assert.deepEqual((await verify(folder.path)).problems, []);
  await using again = await startNode(folder.path);
  assert.deepEqual(await findLost(again.apiUrl, acknowledged), []);
});

test("a second node, or a task, on the same data folder is refused with one line", async () => {
  using folder = temporaryFolder("second");
  await using node = await startNode(folder.path);
  for (const args of [["node", "--api-port", "0"], ["verify"], ["import"]]) {
    const { exitCode, stdout, stderr } = await runCommand([
      ...args,
      ...["--data-dir", folder.path, "--log-level", "error"],
    ]);
    assert.equal(exitCode, 1, args[0]);
    assert.equal(stdout, "");
    assert.match(stderr, /^twentysix[^\n]*is in use by another process[^\n]*\n$/);
  }
  assert.equal((await fetch(`${node.apiUrl}/health`)).status, 200);
});

test("a port that is taken is one line, and lets go of the data folder", async () => {
  using folder = temporaryFolder("port");
  using other = temporaryFolder("port");
  await using node = await startNode(folder.path);
  const { port } = new URL(node.apiUrl);
  const args = ["node", "--data-dir", other.path, "--api-port", port, "--log-level", "error"];
  const { exitCode, stderr } = await runCommand(args);
  assert.equal(exitCode, 1);
  assert.match(stderr, /^twentysix: the node cannot start: [^\n]*EADDRINUSE[^\n]*\n$/);
  await using second = await startNode(other.path);
  assert.equal((await fetch(`${second.apiUrl}/health/ready`)).status, 200);
});

test("the node is ready when it says so, and keeps its address over a restart", async () => {
  using folder = temporaryFolder("ready");
  const facts = async (apiUrl: string): Promise<unknown> => {
    const ready = await fetch(`${apiUrl}/health/ready`);
    assert.deepEqual([ready.status, ((await ready.json()) as { status: string }).status], [200, "ready"]);
    return await (await fetch(`${apiUrl}/api/v0/info/public.json`)).json();
  };
  const first = await startNode(folder.path);
  const before = await facts(first.apiUrl);
  assert.equal((await first.stop()).exitCode, 0);
  await using second = await startNode(folder.path);
  assert.deepEqual(await facts(second.apiUrl), before);
});

test("what a node that was killed was receiving is gone at the next start", async () => {
  using folder = temporaryFolder("staging");
  const left = join(folder.path, "staging", "half-an-upload");
  mkdirSync(join(folder.path, "staging"));
  writeFileSync(left, "half");
  await using node = await startNode(folder.path);
  assert.equal((await fetch(`${node.apiUrl}/health`)).status, 200);
  assert.equal(existsSync(left), false);
});

test("a private key that was damaged stops the start with one line and is left as it is", async () => {
  using folder = temporaryFolder("key");
  mkdirSync(join(folder.path, "keys"), { recursive: true });
  writeFileSync(join(folder.path, "keys", "node.key"), "not a key\n");
  const args = ["node", "--data-dir", folder.path, "--api-port", "0", "--log-level", "error"];
  const { exitCode, stderr } = await runCommand(args);
  assert.equal(exitCode, 1);
  assert.match(stderr, /^twentysix: the node cannot start: [^\n]*is not a private key[^\n]*\n$/);
});
