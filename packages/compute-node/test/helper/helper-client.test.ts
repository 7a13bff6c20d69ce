import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import { HelperClient } from "../../src/helper/helper-client.ts";
import { helperSocketOf } from "../../src/helper/helper-folders.ts";
import { HelperServer } from "../../src/helper/helper-server.ts";
import { tempFolder } from "../support/temp-folder.ts";

const signal = AbortSignal.timeout(30_000);

test("a node may ask for as much at once as it has machines", async () => {
  await using folder = await tempFolder();
  const dir = folder.path;
  const timers = createSystemTimers();
  let connections = 0;
  let answered = 0;
  const renew = async (parameters: unknown): Promise<number> => {
    await new Promise((next) => setImmediate(next));
    answered += 1;
    return (parameters as { number: number }).number;
  };
  await using _server = await HelperServer.listen({
    path: helperSocketOf(dir),
    verbs: new Map([["renew", renew]]),
    node: { userId: process.getuid?.() ?? 0, groupId: process.getgid?.() ?? 0 },
    isRoot: false,
    log: createMemoryLogger(),
    signal,
  });
  using client = new HelperClient({
    ...{ dir, command: null, timers, log: createMemoryLogger() },
    onExit: () => {},
    onConnected: () => {
      connections += 1;
    },
  });
  const numbers = Array.from({ length: 4_095 }, (_, number) => number);
  const asked = numbers.map((number) => client.call<number>("renew", { number }, signal));
  assert.deepEqual(await Promise.all(asked), numbers);
  assert.deepEqual([answered, connections], [4_095, 1], "each is asked once, on one connection");
});
