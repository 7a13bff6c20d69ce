import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createVirtualTime } from "@twentysix/platform";
import fc from "fast-check";
import { TRANSITIONS } from "../../src/executions/transitions.ts";
import { FakeHost } from "../support/fake-host.ts";
import { openTestExecutions, type TestExecutions } from "../support/test-executions.ts";
import { hashOf, instanceMessage, programMessage } from "../support/vm-messages.ts";

const FOREVER = new AbortController().signal;
const NAMES = ["a", "b", "c"] as const;

type Step = {
  readonly kind:
    | "start"
    | "visit"
    | "stop"
    | "reboot"
    | "reinstall"
    | "erase"
    | "exit"
    | "crash"
    | "fail"
    | "wait";
  readonly name: (typeof NAMES)[number];
};

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    "start",
    "start",
    "visit",
    "stop",
    "reboot",
    "reinstall",
    "erase",
    "exit",
    "crash",
    "fail",
    "wait",
  ),
  name: fc.constantFrom(...NAMES),
});

/** A node that can die at any step of a machine, with the host and the disk going on. */
class Scene {
  readonly folder = mkdtempSync(join(tmpdir(), "twentysix-executions-"));
  readonly host = new FakeHost();
  node: TestExecutions;
  #failing: string | null = null;
  #life = 0;

  constructor() {
    this.node = this.#open();
    this.host.before = async (_step, vmHash) => {
      const life = this.#life;
      await new Promise((next) => setImmediate(next));
      // A dead node goes no further.
      if (life !== this.#life) await new Promise(() => {});
      if (this.#failing === vmHash) {
        this.#failing = null;
        throw new Error("it failed");
      }
    };
  }

  async take({ kind, name }: Step): Promise<void> {
    const { manager, contact, time } = this.node;
    const vmHash = hashOf(name);
    contact.note("scheduler");
    const message = name === "c" ? programMessage(name) : instanceMessage(name);
    const operations: Record<Step["kind"], () => Promise<unknown>> = {
      start: () => manager.ensureRunning(message, { source: "owner", isPersistent: true }, FOREVER),
      visit: () => manager.ensureRunning(message, { source: "visitor", isPersistent: false }, FOREVER),
      stop: () => manager.stop(vmHash, null, FOREVER),
      reboot: () => manager.reboot(vmHash, FOREVER),
      reinstall: () => manager.reinstall(vmHash, { erasesVolumes: true }, FOREVER),
      erase: () => manager.erase(vmHash, null, FOREVER),
      exit: async () => this.host.processes.get(vmHash)?.end("failed"),
      fail: async () => {
        this.#failing = vmHash;
      },
      wait: () => time.advance(1_000),
      crash: () => this.crash(),
    };
    // Refusals are answers; what must hold is looked at afterwards. Half of the operations overlap with the next.
    const done = operations[kind]().catch(() => {});
    if (kind === "crash" || kind === "wait") await done;
    else await Promise.race([done, new Promise((next) => setImmediate(next))]);
  }

  /** The process dies: nothing that it was doing goes on, nothing is closed. */
  async crash(): Promise<void> {
    this.#life += 1;
    this.host.forgetCallers();
    this.node.database.close();
    this.node = this.#open();
    this.node.contact.note("scheduler");
    await this.node.reconcile(FOREVER);
  }

  async settle(): Promise<void> {
    this.#failing = null;
    for (let round = 0; round < 60; round += 1) {
      this.node.contact.note("scheduler");
      await this.node.time.advance(10_000);
      for (let turn = 0; turn < 5; turn += 1) await new Promise((next) => setImmediate(next));
    }
  }

  remove(): void {
    this.#life += 1;
    this.node.database.close();
    rmSync(this.folder, { recursive: true });
  }

  /** Each life has timers of its own: those of a dead process never fire. */
  #open(): TestExecutions {
    const startMicros = (this.node?.time.clock.nowMicros() ?? 1_700_000_000_000_000n) + 1_000_000n;
    const time = createVirtualTime(startMicros);
    const life = this.#life;
    const runner = this.host.attach(() => life === this.#life);
    return openTestExecutions(this.host, join(this.folder, "executions.sqlite3"), time, runner);
  }
}

function assertHolds({ node, host }: Scene): void {
  assert.deepEqual(host.violations, []);
  const running = node.manager.list().filter(({ state }) => state === "running");
  assert.deepEqual(
    running.map(({ vmHash }) => vmHash).sort(),
    [...host.processes.keys()].sort(),
    "what the database says runs is what runs",
  );
  for (const { vmHash, state, desired, isPersistent, reason } of node.manager.list()) {
    assert.notEqual(desired, "gone", `${vmHash} was to be erased and is here`);
    if (desired === "stopped") assert.ok(["stopped", "failed"].includes(state), `${vmHash} is ${state}`);
    if (desired === "running" && isPersistent) assert.equal(state, "running", `${vmHash}: ${reason?.text}`);
    assert.equal(node.manager.running(vmHash) !== null, state === "running");
  }
  const here = new Set(node.manager.list().map(({ vmHash }) => vmHash));
  for (const vmHash of host.disks) assert.ok(here.has(vmHash), `disks of ${vmHash} are left`);
}

test("whatever is done to machines and whenever the node dies, what runs is what shall run", async () => {
  const numRuns = Number(process.env.TWENTYSIX_SEQUENCES ?? 60);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const scene = new Scene();
      try {
        for (const next of steps) await scene.take(next);
        await scene.settle();
        assertHolds(scene);
        await scene.crash();
        await scene.settle();
        assertHolds(scene);
      } finally {
        scene.remove();
      }
    }),
    { numRuns },
  );
});

test("every state can be left, but `gone`", () => {
  for (const [state, next] of Object.entries(TRANSITIONS)) assert.equal(next.length === 0, state === "gone");
});
