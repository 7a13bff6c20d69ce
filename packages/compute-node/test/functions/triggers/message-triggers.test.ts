import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { createMemoryLogger, createSystemClock, createSystemTimers, type Timers } from "@twentysix/platform";
import type { JsonObject } from "@twentysix/protocol";
import type { MessageObject } from "@twentysix/sdk";
import { FunctionError } from "../../../src/functions/http/function-error.ts";
import { ProgramUsage } from "../../../src/functions/life-cycle/program-usage.ts";
import { MessageTriggers } from "../../../src/functions/triggers/message-triggers.ts";
import { takeCensus } from "../../../src/functions/triggers/trigger-census.ts";
import { TriggerStore } from "../../../src/functions/triggers/trigger-store.ts";
import { hashOf, programMessage } from "../support/program-message.ts";
import { executionOf } from "../support/test-executions.ts";

function message(label: string, fields: Partial<MessageObject> = {}): MessageObject {
  return {
    type: "POST",
    chain: "ETH",
    sender: "0x1",
    signature: "0x",
    item_type: "inline",
    item_content: "{}",
    item_hash: hashOf(label),
    time: 1_700_000_000,
    channel: "TEST",
    content: { type: "note" },
    ...fields,
  };
}

const program = (label: string, subscriptions: unknown): MessageObject =>
  message(label, {
    type: "PROGRAM",
    content: { on: { http: false, message: subscriptions } } as unknown as JsonObject,
  });

function triggersOn(
  database: DatabaseSync,
  options: {
    readonly nodes?: readonly string[];
    readonly nodeHash?: string | null;
    readonly fails?: unknown;
    /** Programs that take a message and never say so. */
    readonly silent?: readonly string[];
    /** Starts that fail so before one succeeds. */
    readonly failsFirst?: unknown[];
    /** Starts that never end: their node has died. */
    readonly isDying?: true;
  } = {},
) {
  const ran: string[] = [];
  const limits: number[] = [];
  const outcomes: string[] = [];
  const closing = new AbortController();
  const log = createMemoryLogger();
  const system = createSystemTimers();
  const timers: Timers = {
    ...system,
    sleep: async () => {},
    withTimeout: (timeoutMs, work, signal) => {
      limits.push(timeoutMs);
      return system.withTimeout(timeoutMs, work, signal);
    },
  };
  const usage = new ProgramUsage({ timers, idleMs: 0, onIdle: () => {} });
  const store = new TriggerStore(database, () => 1_700_000_000_000);
  const triggers = new MessageTriggers({
    store,
    usage,
    starter: {
      ready: async ({ vmHash }) => {
        const failure = options.fails ?? options.failsFirst?.shift();
        if (failure !== undefined) throw failure;
        if (options.isDying === true) await new Promise(() => undefined);
        const guest = {
          kind: "streams" as const,
          vmHash,
          isLost: false,
          openHttp: () => assert.fail("no request was made"),
          sendEvent: async (text: string) => {
            if (options.silent?.includes(vmHash)) await new Promise(() => undefined);
            ran.push(`${vmHash} ${(JSON.parse(text) as MessageObject).item_hash}`);
          },
        };
        const resources = { vcpus: 1, memory: 128, seconds: 315_360_000, published_ports: null };
        const any = programMessage("any", options.silent === undefined ? {} : { resources });
        return { guest, execution: executionOf(any, { source: "trigger", isPersistent: false }) };
      },
    },
    coreNode: {
      aggregate: async () => ({
        resource_nodes: (options.nodes ?? []).map((hash) => ({ hash, status: "linked" })),
      }),
    },
    registry: { address: "0x2", key: "corechannel" },
    nodeHash: () => options.nodeHash ?? null,
    slowness: () => 1,
    clock: createSystemClock(),
    timers,
    log,
    signal: closing.signal,
    observer: { triggered: (outcome) => outcomes.push(outcome) },
  });
  const tell = (told: MessageObject, isAuthentic = true): void =>
    triggers.seen({ message: told, isAuthentic: () => isAuthentic });
  return { triggers, store, tell, ran, limits, outcomes, log, close: () => closing.abort() };
}

describe("programs that wait for messages", () => {
  const run = (vm: string, text: string): string => `${hashOf(vm)} ${hashOf(text)}`;

  test("get those that they subscribed to, once, also after a restart", async () => {
    const database = new DatabaseSync(":memory:");
    const first = triggersOn(database);
    first.tell(program("vm", [{ type: "POST", content: { type: "note" } }]));
    first.tell(message("m1"));
    first.tell(message("m2", { content: { type: "other" } }));
    first.tell(message("m1"));
    await first.triggers.whenIdle();
    assert.deepEqual(first.ran, [run("vm", "m1")]);
    const second = triggersOn(database);
    second.tell(message("m1"));
    second.tell(message("m3"));
    await second.triggers.whenIdle();
    assert.deepEqual(second.ran, [run("vm", "m3")]);
  });

  test("get them also when they cannot be started at once, or the node dies before it has given them", async () => {
    const failsFirst = [
      new FunctionError(503, "no room just now"),
      new FunctionError(500, "it did not boot"),
    ];
    const busy = triggersOn(new DatabaseSync(":memory:"), { failsFirst });
    busy.tell(program("vm", [{ type: "POST" }]));
    busy.tell(message("m1"));
    await busy.triggers.whenIdle();
    assert.deepEqual(busy.ran, [run("vm", "m1")]);
    for (const [dying, expected] of [
      [{ isDying: true }, [run("vm", "m1")]],
      // It may have done what it does for it.
      [{ silent: [hashOf("vm")] }, []],
    ] as const) {
      const database = new DatabaseSync(":memory:");
      const before = triggersOn(database, dying);
      before.tell(program("vm", [{ type: "POST" }]));
      before.tell(message("m1"));
      for (let turn = 0; turn < 20; turn += 1) await new Promise((next) => setImmediate(next));
      const next = triggersOn(database);
      next.tell(message("m1"));
      await next.triggers.whenIdle();
      assert.deepEqual(next.ran, expected);
      before.close();
    }
  });

  test("are known to a node that was not there when they were published; those that ended are not", async () => {
    const { triggers, store, tell, ran } = triggersOn(new DatabaseSync(":memory:"));
    tell(program("ended", [{ type: "POST" }]));
    const told = [
      [program("earlier", [{ type: "POST" }]), true],
      [program("forged", [{ type: "POST" }]), false],
      [program("waits for nothing", null), true],
    ] as const;
    const feed = {
      async *stored() {
        for (const [each, isAuthentic] of told) yield { message: each, isAuthentic: () => isAuthentic };
        // Published while the others are told of.
        tell(program("later", [{ channel: "OTHER" }]));
      },
    };
    const options = { feed, triggers, store, timers: createSystemTimers(), log: createMemoryLogger() };
    await takeCensus(options, new AbortController().signal);
    tell(message("m1"));
    await triggers.whenIdle();
    assert.deepEqual(ran, [run("earlier", "m1")]);
    assert.deepEqual([...store.vmHashes].sort(), [hashOf("earlier"), hashOf("later")].sort());
  });

  test("that ran are not remembered for ever", () => {
    const database = new DatabaseSync(":memory:");
    let nowMs = 1_700_000_000_000;
    const store = new TriggerStore(database, () => nowMs);
    for (let index = 0; index < 3_000; index += 1) {
      store.claimRun(hashOf("vm"), hashOf(`m${index}`));
      nowMs += 60_000;
    }
    const { runs } = database.prepare("SELECT count(*) AS runs FROM trigger_runs").get() ?? {};
    assert.ok(Number(runs) < 1_200, `${runs} runs`);
  });

  test("odd subscriptions match nothing and stop nobody", async () => {
    const { tell, triggers, ran } = triggersOn(new DatabaseSync(":memory:"));
    const deep = JSON.parse(`${'{"a":'.repeat(200)}1${"}".repeat(200)}`);
    for (const [index, odd] of [
      null,
      "x",
      5,
      [],
      [null, 7, "x", {}],
      [{ nothing: [1] }],
      [{ type: deep }],
    ].entries()) {
      tell(program(`odd ${index}`, odd));
    }
    tell(program("vm", [{ missing: 1 }, { channel: "TEST" }]));
    tell(message("m1"));
    await triggers.whenIdle();
    assert.deepEqual(ran, [run("vm", "m1")]);
  });

  test("what became of each is told: taken, failed, or one too many of a minute", async () => {
    const { tell, triggers, outcomes } = triggersOn(new DatabaseSync(":memory:"), {
      failsFirst: [new FunctionError(404, "it is not in force")],
    });
    tell(program("vm", [{ type: "POST" }]));
    tell(message("m1"));
    await triggers.whenIdle();
    assert.deepEqual(outcomes, ["failed"]);
    tell(program("vm", [{ type: "POST" }]));
    for (let index = 0; index < 33; index += 1) tell(message(`one of many ${index}`));
    await triggers.whenIdle();
    const count = (wanted: string): number => outcomes.filter((outcome) => outcome === wanted).length;
    assert.deepEqual([count("failed"), count("done"), count("left_out")], [1, 32, 1]);
  });

  test("forged messages and programs are left out", async () => {
    const { tell, triggers, ran, store } = triggersOn(new DatabaseSync(":memory:"));
    tell(program("forged", [{ type: "POST" }]), false);
    assert.equal(store.size, 0);
    tell(program("vm", [{ type: "POST" }]));
    tell(message("m1"), false);
    await triggers.whenIdle();
    assert.deepEqual(ran, []);
  });

  test("each message is run by one of the nodes", async () => {
    const nodes = ["n1", "n2", "n3"];
    const all = [...nodes, null].map((nodeHash) =>
      triggersOn(new DatabaseSync(":memory:"), { nodes, nodeHash }),
    );
    for (const { tell } of all) {
      tell(program("vm", [{ type: "POST" }]));
      for (let index = 0; index < 20; index += 1) tell(message(`m${index}`));
    }
    for (const { triggers } of all) await triggers.whenIdle();
    const ran = all.flatMap((node) => node.ran);
    assert.deepEqual([ran.length, new Set(ran).size], [20, 20]);
    assert.deepEqual(all[3]?.ran, [], "who is not in the registry leaves it to those that are");
  });

  test("are bounded in how often they run", async () => {
    const { tell, triggers, ran, log } = triggersOn(new DatabaseSync(":memory:"));
    tell(program("vm", [{ type: "POST" }]));
    for (let index = 0; index < 200; index += 1) tell(message(`m${index}`));
    await triggers.whenIdle();
    assert.ok(ran.length <= 60, String(ran.length));
    assert.ok(log.records.length >= 100);
  });

  test("that take messages and never answer hold up no others, and are given up after minutes", async () => {
    const silent = Array.from({ length: 20 }, (_, index) => hashOf(`silent ${index}`));
    const { tell, ran, limits, close } = triggersOn(new DatabaseSync(":memory:"), { silent });
    for (const [index] of silent.entries()) tell(program(`silent ${index}`, [{ type: "POST" }]));
    tell(program("vm", [{ type: "POST" }]));
    tell(message("m1"));
    while (ran.length === 0) await new Promise((resolve) => setImmediate(resolve));
    close();
    assert.deepEqual(ran, [run("vm", "m1")]);
    assert.ok(
      limits.every((ms) => ms <= 300_000),
      limits.join(" "),
    );
  });

  test("that are forgotten, or turn out not to be in force, wait no more", async () => {
    const database = new DatabaseSync(":memory:");
    const failing = triggersOn(database, { fails: new FunctionError(404, "forgotten") });
    failing.tell(program("gone", [{ type: "POST" }]));
    failing.tell(message("m1"));
    await failing.triggers.whenIdle();
    assert.equal(failing.store.size, 0);
    const { tell, store } = triggersOn(database);
    tell(program("vm", [{ type: "POST" }]));
    tell(message("f", { type: "FORGET", content: { hashes: [hashOf("vm"), 5] } as unknown as JsonObject }));
    assert.equal(store.size, 0);
    assert.equal(triggersOn(database).store.size, 0);
  });
});
