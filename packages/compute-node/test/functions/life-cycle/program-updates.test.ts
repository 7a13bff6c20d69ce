import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryLogger } from "@twentysix/platform";
import type { JsonObject } from "@twentysix/protocol";
import type { MessageObject } from "@twentysix/sdk";
import type { Execution } from "../../../src/executions/execution.ts";
import { ProgramUpdates } from "../../../src/functions/life-cycle/program-updates.ts";
import { hashOf, type ProgramMessage, programMessage } from "../support/program-message.ts";
import { executionOf } from "../support/test-executions.ts";

const NEWER = hashOf("newer file");

function updatesOf(program: ProgramMessage, newest: string = NEWER) {
  const execution: Execution = executionOf(program, { source: "visitor", isPersistent: false });
  const outdated: string[] = [];
  const forgotten: string[] = [];
  const updates = new ProgramUpdates({
    executions: { list: () => [execution], get: (hash) => (hash === program.itemHash ? execution : null) },
    coreNode: { newestFile: async () => newest },
    keeper: { outdated: (hash) => void outdated.push(hash) },
    messages: { forget: (hash) => void forgotten.push(hash) },
    log: createMemoryLogger(),
    signal: new AbortController().signal,
  });
  const see = async (type: string, content: object, isAuthentic = true): Promise<void> => {
    updates.seen({
      message: { type, content: content as JsonObject } as MessageObject,
      isAuthentic: () => isAuthentic,
    });
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { outdated, forgotten, see };
}

const withLatest = (use_latest: boolean): ProgramMessage =>
  programMessage("vm", { runtime: { ref: hashOf("runtime"), use_latest, comment: "" } });

test("a newer file ends a program that wants the newest, when core nodes say that it is one", async () => {
  const wanting = updatesOf(withLatest(true));
  await wanting.see("STORE", { ref: hashOf("other") });
  assert.deepEqual(wanting.outdated, []);
  await wanting.see("STORE", { ref: hashOf("runtime") }, false);
  assert.deepEqual(wanting.outdated, [], "forged");
  await wanting.see("STORE", { ref: hashOf("runtime") });
  assert.deepEqual(wanting.outdated, [hashOf("vm")]);
  const pinned = updatesOf(withLatest(false));
  await pinned.see("STORE", { ref: hashOf("runtime") });
  assert.deepEqual(pinned.outdated, []);
  const foreign = updatesOf(withLatest(true), hashOf("runtime"));
  await foreign.see("STORE", { ref: hashOf("runtime") });
  assert.deepEqual(foreign.outdated, [], "somebody else's file is not the newest");
});

test("a newer version ends a program that allows it, when its owner publishes it", async () => {
  const allowing = updatesOf(programMessage("vm", { allow_amend: true }));
  await allowing.see("PROGRAM", { replaces: hashOf("vm"), address: "0xother" });
  assert.deepEqual(allowing.outdated, []);
  await allowing.see("PROGRAM", { replaces: hashOf("vm"), address: "0x1" });
  assert.deepEqual([allowing.outdated, allowing.forgotten], [[hashOf("vm")], [hashOf("vm")]]);
  const fixed = updatesOf(programMessage("vm"));
  await fixed.see("PROGRAM", { replaces: hashOf("vm"), address: "0x1" });
  assert.deepEqual(fixed.outdated, []);
});
