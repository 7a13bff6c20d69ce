import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createDeferred, raceAbort, type VirtualTime } from "@twentysix/platform";
import { ExecutionError } from "../../src/executions/errors.ts";
import type { Executions as Manager } from "../../src/executions/executions.ts";
import { FakeHost } from "../support/fake-host.ts";
import { openTestExecutions } from "../support/test-executions.ts";
import { hashOf, instanceMessage, programMessage } from "../support/vm-messages.ts";

const FOREVER = new AbortController().signal;
const BY_OWNER = { source: "owner", isPersistent: true } as const;
const BY_SCHEDULER = { source: "scheduler", isPersistent: true } as const;
const BY_VISITOR = { source: "visitor", isPersistent: false } as const;

function withCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ExecutionError && error.code === code;
}

describe("a machine is started", () => {
  test("and tells when it reached each state, in growing times", async () => {
    const host = new FakeHost();
    const { manager } = openTestExecutions(host);
    const execution = await manager.ensureRunning(instanceMessage("a"), BY_OWNER, FOREVER);
    assert.equal(execution.state, "running");
    const { definedAtMs, preparingAtMs, preparedAtMs, startingAtMs, startedAtMs } = execution.times;
    const times = [definedAtMs, preparingAtMs, preparedAtMs, startingAtMs, startedAtMs];
    assert.deepEqual(
      times,
      times.toSorted((a, b) => (a ?? 0) - (b ?? 0)),
    );
    assert.equal(new Set(times).size, 5);
    assert.equal(manager.running(hashOf("a"))?.vmHash, hashOf("a"));
    assert.equal(execution.vmNumber, 4);
  });

  test("once, however many ask at the same time", async () => {
    const host = new FakeHost();
    const { manager } = openTestExecutions(host);
    const message = programMessage("a");
    const asked = Array.from({ length: 8 }, () => manager.ensureRunning(message, BY_VISITOR, FOREVER));
    const started = await Promise.all(asked);
    assert.ok(started.every(({ state }) => state === "running"));
    assert.deepEqual(host.prepared, [hashOf("a")]);
    assert.deepEqual(host.violations, []);
  });

  test("for those who still wait, when one who asked has gone", async () => {
    const host = new FakeHost();
    const gate = createDeferred<void>();
    host.before = async (step) => (step === "start" ? gate.promise : undefined);
    const { manager } = openTestExecutions(host);
    const gone = new AbortController();
    const first = manager.ensureRunning(programMessage("a"), BY_VISITOR, gone.signal);
    const second = manager.ensureRunning(programMessage("a"), BY_VISITOR, FOREVER);
    gone.abort(new Error("the visitor left"));
    await assert.rejects(first, /the visitor left/);
    gate.resolve();
    assert.equal((await second).state, "running");
  });

  test("only as many at once as the node allows", async () => {
    const host = new FakeHost();
    let atOnce = 0;
    let most = 0;
    host.before = async (step) => {
      if (step !== "start") return;
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
    };
    const { manager } = openTestExecutions(host);
    const names = ["a", "b", "c", "d", "e", "f"];
    const ofOwner = (name: string) => programMessage(name, { address: `0x${name}` });
    await Promise.all(names.map((name) => manager.ensureRunning(ofOwner(name), BY_VISITOR, FOREVER)));
    assert.equal(most, 2);
    assert.equal(new Set(manager.list().map(({ vmNumber }) => vmNumber)).size, 6);
  });

  test("while files of others that are slow to come, and guests of others that do not boot, hold up nobody", async () => {
    for (const slow of ["prepare", "start"]) {
      const host = new FakeHost();
      host.before = async (step, vmHash, signal) => {
        if (step === slow && vmHash !== hashOf("healthy"))
          await raceAbort(new Promise(() => undefined), signal);
      };
      const { manager } = openTestExecutions(host);
      const closing = new AbortController();
      const names = ["a", "b", "c", "d", "e", "f"];
      const starts = names.map((name) =>
        manager.ensureRunning(programMessage(name), BY_VISITOR, closing.signal),
      );
      for (const start of starts) start.catch(() => undefined);
      const healthy = programMessage("healthy", { address: "0xOther" });
      assert.equal((await manager.ensureRunning(healthy, BY_VISITOR, FOREVER)).state, "running");
      closing.abort(new Error("nobody waits any more"));
    }
  });

  test("or refused with what is missing, and nothing of it stays", async () => {
    const { manager } = openTestExecutions(new FakeHost());
    const resources = { vcpus: 1, memory: 32_768, seconds: 1, published_ports: null };
    const refused = manager.ensureRunning(instanceMessage("a", { resources }), BY_OWNER, FOREVER);
    await assert.rejects(refused, /32768 MiB of memory for instances required, 12288 available/);
    assert.equal(manager.get(hashOf("a")), null);
  });
});

describe("a failure", () => {
  test("is told to the owner, and leaves nothing running", async () => {
    const host = new FakeHost();
    host.before = async (step) => {
      if (step === "start") throw new ExecutionError("GUEST_INIT_FAILED", "no init");
    };
    const { manager } = openTestExecutions(host);
    const failing = manager.ensureRunning(programMessage("a"), BY_VISITOR, FOREVER);
    await assert.rejects(failing, withCode("GUEST_INIT_FAILED"));
    const execution = manager.get(hashOf("a"));
    assert.equal(execution?.state, "failed");
    assert.equal(execution?.reason?.code, "GUEST_INIT_FAILED");
    assert.equal(host.processes.size, 0);
  });

  test("is remembered for some seconds, so that visitors do not start it again and again", async () => {
    const host = new FakeHost();
    let starts = 0;
    host.before = async (step) => {
      if (step !== "start") return;
      starts += 1;
      throw new ExecutionError("GUEST_INIT_FAILED", "no init");
    };
    const { manager, time } = openTestExecutions(host);
    const ask = () => manager.ensureRunning(programMessage("a"), BY_VISITOR, FOREVER);
    await assert.rejects(ask(), withCode("GUEST_INIT_FAILED"));
    await assert.rejects(ask(), /failed 1 times in a row; next start in 5 s/);
    assert.equal(starts, 1);
    await time.advance(5_001);
    host.before = async () => {};
    assert.equal((await ask()).state, "running");
  });

  test("of a machine that is kept alive is tried again, later each time", async () => {
    const host = new FakeHost();
    const { manager, time, contact } = openTestExecutions(host);
    const startedAtMs: number[] = [];
    host.before = async (step) => {
      if (step !== "start") return;
      startedAtMs.push(time.clock.monotonicMs());
      if (startedAtMs.length < 4) throw new ExecutionError("HYPERVISOR_FAILED", "not yet");
    };
    await assert.rejects(manager.ensureRunning(instanceMessage("a"), BY_OWNER, FOREVER));
    for (let second = 0; second < 60; second += 1) {
      contact.note("scheduler");
      await time.advance(1_000);
    }
    assert.deepEqual(startedAtMs, [0, 5_000, 15_000, 35_000]);
    assert.equal(manager.get(hashOf("a"))?.state, "running");
  });

  test("that starting again does not mend is left to the owner", async () => {
    const host = new FakeHost();
    host.before = async (step) => {
      if (step === "prepare") throw new ExecutionError("IMAGE_INVALID", "no qcow2");
    };
    const { manager, time } = openTestExecutions(host);
    await assert.rejects(manager.ensureRunning(instanceMessage("a"), BY_OWNER, FOREVER));
    assert.equal(manager.get(hashOf("a"))?.desired, "stopped");
    await time.advance(3_600_000);
    assert.equal(manager.get(hashOf("a"))?.state, "failed");
  });
});

describe("a machine that ends by itself", () => {
  test("starts again when it is kept alive", async () => {
    const host = new FakeHost();
    const { manager, time, contact } = openTestExecutions(host);
    await manager.ensureRunning(instanceMessage("a"), BY_SCHEDULER, FOREVER);
    contact.note("scheduler");
    host.processes.get(hashOf("a"))?.end("failed", "qemu crashed");
    await time.advance(0);
    assert.equal(manager.get(hashOf("a"))?.reason?.code, "GUEST_ENDED");
    await time.advance(1_000);
    assert.equal(manager.get(hashOf("a"))?.state, "running");
  });

  test("stays stopped when the guest of an instance shut itself down", async () => {
    const host = new FakeHost();
    const { manager, time } = openTestExecutions(host);
    await manager.ensureRunning(instanceMessage("a"), BY_OWNER, FOREVER);
    host.processes.get(hashOf("a"))?.end("guest-shutdown");
    await time.advance(0);
    const execution = manager.get(hashOf("a"));
    assert.deepEqual([execution?.state, execution?.desired], ["stopped", "stopped"]);
    assert.equal(execution?.reason?.code, "GUEST_SHUTDOWN");
  });

  test("because its lease ran out waits for the scheduler's word", async () => {
    const host = new FakeHost();
    const { manager, time, contact } = openTestExecutions(host);
    await manager.ensureRunning(instanceMessage("a"), BY_SCHEDULER, FOREVER);
    host.processes.get(hashOf("a"))?.end("lease-expired");
    await time.advance(60_000);
    contact.note("scheduler");
    await time.advance(10_000);
    assert.equal(manager.get(hashOf("a"))?.state, "failed");
    await manager.ensureRunning(instanceMessage("a"), BY_SCHEDULER, FOREVER);
    assert.equal(manager.get(hashOf("a"))?.state, "running");
  });

  test("and belongs to this node starts when the node has contact again, not before", async () => {
    const host = new FakeHost();
    const { manager, time, contact } = openTestExecutions(host);
    await manager.ensureRunning(instanceMessage("a"), BY_OWNER, FOREVER);
    host.processes.get(hashOf("a"))?.end("lease-expired");
    await time.advance(60_000);
    assert.equal(manager.get(hashOf("a"))?.state, "failed");
    contact.note("scheduler");
    await time.advance(6_000);
    assert.equal(manager.get(hashOf("a"))?.state, "running");
  });
});

describe("operations of the owner", () => {
  test("stop interrupts a start, and the machine is stopped", async () => {
    const host = new FakeHost();
    host.before = async (step, _vmHash, signal) => {
      if (step !== "prepare") return;
      await new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    };
    const { manager } = openTestExecutions(host);
    const starting = manager.ensureRunning(instanceMessage("a"), BY_OWNER, FOREVER);
    starting.catch(() => {});
    while (manager.get(hashOf("a"))?.state !== "preparing") await new Promise((next) => setImmediate(next));
    const stopped = await manager.stop(hashOf("a"), null, FOREVER);
    await assert.rejects(starting, withCode("BUSY"));
    assert.deepEqual([stopped.state, stopped.desired], ["stopped", "stopped"]);
    assert.deepEqual(host.violations, []);
  });

  test("stop twice is no failure; reboot starts what is stopped", async () => {
    const host = new FakeHost();
    const { manager } = openTestExecutions(host);
    await manager.ensureRunning(instanceMessage("a"), BY_OWNER, FOREVER);
    await manager.stop(hashOf("a"), null, FOREVER);
    assert.equal((await manager.stop(hashOf("a"), null, FOREVER)).state, "stopped");
    assert.equal(host.processes.size, 0);
    assert.equal((await manager.reboot(hashOf("a"), FOREVER)).state, "running");
  });

  test("reinstall makes the disks anew, erase removes them and leaves a record", async () => {
    const host = new FakeHost();
    const { manager } = openTestExecutions(host);
    await manager.ensureRunning(instanceMessage("a"), BY_OWNER, FOREVER);
    await manager.reinstall(hashOf("a"), { erasesVolumes: true }, FOREVER);
    assert.deepEqual(host.prepared, [hashOf("a"), hashOf("a")]);
    await manager.erase(hashOf("a"), null, FOREVER);
    assert.equal(host.disks.size, 0);
    assert.equal(manager.get(hashOf("a")), null);
    assert.deepEqual(
      Array.from(manager.records(10), ({ state }) => state),
      ["gone"],
    );
    await manager.ensureRunning(instanceMessage("a"), BY_OWNER, FOREVER);
    assert.equal(Array.from(manager.records(10)).length, 2);
  });

  test("wait for nobody who has the machine to himself, but for its erasure he has to end", async () => {
    const { manager } = openTestExecutions(new FakeHost());
    await manager.ensureRunning(instanceMessage("a"), BY_OWNER, FOREVER);
    const backup = manager.exclusively(hashOf("a"), "backup", async (machine) => {
      await new Promise((_resolve, reject) => {
        machine.signal.addEventListener("abort", () => reject(machine.signal.reason), { once: true });
      });
    });
    const ended = assert.rejects(backup, /is being erased/);
    await assert.rejects(manager.stop(hashOf("a"), null, FOREVER), withCode("BUSY"));
    await assert.rejects(
      manager.exclusively(hashOf("a"), "restore", async () => {}),
      withCode("BUSY"),
    );
    const running = await manager.ensureRunning(instanceMessage("a"), BY_SCHEDULER, FOREVER);
    assert.equal(running.state, "running");
    await manager.erase(hashOf("a"), null, FOREVER);
    await ended;
    assert.equal(manager.get(hashOf("a")), null);
  });

  test("nobody starts a machine that is being moved away", async () => {
    const { manager } = openTestExecutions(new FakeHost());
    await manager.ensureRunning(instanceMessage("a"), BY_OWNER, FOREVER);
    await manager.exclusively(hashOf("a"), "export", async (machine) => {
      await machine.stop(FOREVER);
      await machine.mark("exporting", null);
    });
    for (const ask of [
      () => manager.ensureRunning(instanceMessage("a"), BY_SCHEDULER, FOREVER),
      () => manager.reboot(hashOf("a"), FOREVER),
    ]) {
      await assert.rejects(ask(), /is being moved/);
    }
    await manager.exclusively(hashOf("a"), "export", (machine) => machine.start(FOREVER));
    assert.equal(manager.get(hashOf("a"))?.state, "running");
  });
});

describe("what may start elsewhere", () => {
  const promised = (name: string, seconds: number) => new Map([[hashOf(name), seconds * 1_000]]);

  test("is so also while the next list ends it, and no longer than that", () => {
    const { fences } = openTestExecutions(new FakeHost());
    fences.promise(promised("moved", 900));
    assert.deepEqual(fences.promise(promised("stays", 900), [hashOf("moved")]), [hashOf("stays")]);
    assert.deepEqual([fences.has(hashOf("moved")), fences.has(hashOf("stays"))], [true, true]);
    fences.promise(promised("stays", 900));
    assert.equal(fences.has(hashOf("moved")), false);
  });

  test("ends before that, whoever reaches this node meanwhile", async () => {
    const host = new FakeHost();
    const { manager, time, contact, fences } = openTestExecutions(host);
    assert.deepEqual(fences.promise(promised("moved", 900)), [hashOf("moved")]);
    await manager.ensureRunning(instanceMessage("moved"), BY_OWNER, FOREVER);
    await manager.ensureRunning(instanceMessage("stays"), BY_OWNER, FOREVER);
    contact.note("scheduler");
    const renewals = (name: string): number => host.processes.get(hashOf(name))?.renewals ?? 0;
    const goOn = async (seconds: number): Promise<void> => {
      for (let passed = 0; passed < seconds; passed += 5) {
        contact.note("core-node");
        await time.advance(5_000);
      }
    };
    await goOn(875);
    const [moved, stays] = [renewals("moved"), renewals("stays")];
    assert.ok(moved >= 170, `${moved} renewals`);
    await goOn(60);
    assert.ok(renewals("moved") <= moved + 1, "its last lease ends within 900 seconds");
    assert.ok(renewals("stays") >= stays + 10, "an end of the scheduler ends nothing else");
    contact.note("scheduler");
    await goOn(10);
    assert.ok(renewals("moved") > moved + 1);
  });

  test("is not promised to end sooner than leases do", () => {
    const { fences } = openTestExecutions(new FakeHost());
    assert.deepEqual(fences.promise(promised("soon", 28)), []);
    assert.deepEqual(fences.promise(promised("soon", 29)), [hashOf("soon")]);
  });

  test("waits for the scheduler's list once its lease has run out, also when its owner had started it", async () => {
    const host = new FakeHost();
    const { manager, time, contact, fences } = openTestExecutions(host);
    fences.promise(promised("a", 39));
    await manager.ensureRunning(programMessage("a"), BY_OWNER, FOREVER);
    host.processes.get(hashOf("a"))?.end("lease-expired");
    await time.advance(10_000);
    contact.note("scheduler");
    contact.note("core-node");
    await time.advance(10_000);
    assert.equal(manager.get(hashOf("a"))?.state, "failed");
    await manager.ensureRunning(programMessage("a"), BY_SCHEDULER, FOREVER);
    assert.equal(manager.get(hashOf("a"))?.state, "running");
  });

  for (const [awaySeconds, state] of [
    [20, "running"],
    [40, "stopped"],
  ] as const) {
    test(`is ${state} when the scheduler speaks again ${awaySeconds} seconds after this node died`, async () => {
      const path = join(mkdtempSync(join(tmpdir(), "fences-")), "executions.sqlite3");
      const before = openTestExecutions(new FakeHost(), path);
      before.contact.note("scheduler");
      before.fences.promise(promised("a", 39));
      await before.manager.ensureRunning(programMessage("a"), BY_SCHEDULER, FOREVER);
      before.database.close();
      // Its process ended with the host.
      const after = openTestExecutions(new FakeHost(), path, before.time);
      await after.reconcile(FOREVER);
      await after.time.advance(awaySeconds * 1_000);
      after.contact.note("scheduler");
      await after.time.advance(6_000);
      assert.equal(after.manager.get(hashOf("a"))?.state, state);
    });
  }
});

describe("leases", () => {
  test("are renewed only while this node has proof of contact", async () => {
    const host = new FakeHost();
    const { manager, time, contact } = openTestExecutions(host);
    await manager.ensureRunning(instanceMessage("a"), BY_OWNER, FOREVER);
    const vm = host.processes.get(hashOf("a"));
    await time.advance(20_000);
    assert.equal(vm?.renewals, 0);
    contact.note("scheduler");
    await time.advance(14_999);
    const renewed = vm?.renewals ?? 0;
    assert.ok(renewed >= 2, `${renewed} renewals`);
    await time.advance(60_000);
    assert.ok((vm?.renewals ?? 0) <= renewed + 1);
  });

  test("are renewed while a guest is still starting", async () => {
    const host = new FakeHost();
    const { manager, time, contact } = openTestExecutions(host);
    const never = new Promise<never>(() => {});
    host.before = async (step, vmHash) => {
      if (step !== "start") return;
      host.launch(vmHash, 1);
      await never;
    };
    void manager.ensureRunning(programMessage("slow"), BY_OWNER, FOREVER);
    await time.advance(1_000);
    contact.note("core-node");
    await time.advance(10_000);
    assert.equal(manager.get(hashOf("slow"))?.state, "starting");
    assert.ok((host.processes.get(hashOf("slow"))?.renewals ?? 0) >= 1);
  });

  test("of programs that a scheduler may move need its word; others also go on by that of a core node", async () => {
    const host = new FakeHost();
    const { manager, time, contact } = openTestExecutions(host);
    await manager.ensureRunning(programMessage("moved"), BY_SCHEDULER, FOREVER);
    await manager.ensureRunning(instanceMessage("stays"), BY_SCHEDULER, FOREVER);
    const renewals = (name: string): number => host.processes.get(hashOf(name))?.renewals ?? 0;
    contact.note("core-node");
    await time.advance(10_000);
    assert.equal(renewals("moved"), 0);
    assert.ok(renewals("stays") >= 1);
    contact.note("scheduler");
    await time.advance(10_000);
    assert.ok(renewals("moved") >= 1);
  });

  test("of what a scheduler has placed need its word, whoever starts it again", async () => {
    const again = {
      "a visitor, while it waits": async (host: FakeHost, manager: Manager, time: VirtualTime) => {
        host.processes.get(hashOf("a"))?.end("failed");
        await time.advance(0);
        return manager.ensureRunning(programMessage("a"), BY_VISITOR, FOREVER);
      },
      "its owner": async (_host: FakeHost, manager: Manager) => {
        await manager.stop(hashOf("a"), null, FOREVER);
        return manager.ensureRunning(programMessage("a"), BY_OWNER, FOREVER);
      },
    };
    for (const [who, start] of Object.entries(again)) {
      const host = new FakeHost();
      const { manager, time, contact } = openTestExecutions(host);
      await manager.ensureRunning(programMessage("a"), BY_SCHEDULER, FOREVER);
      const { source, isPersistent } = await start(host, manager, time);
      assert.deepEqual([source, isPersistent], ["scheduler", true], who);
      contact.note("core-node");
      await time.advance(10_000);
      assert.equal(host.processes.get(hashOf("a"))?.renewals, 0, who);
    }
  });

  test("are those of a visit where the scheduler may have moved the program, or took it away", async () => {
    const moved = {
      "its lease ran out": async (host: FakeHost, _manager: Manager, time: VirtualTime) => {
        host.processes.get(hashOf("a"))?.end("lease-expired");
        await time.advance(0);
      },
      "it is no longer allocated": async (_host: FakeHost, manager: Manager) => {
        const reason = { code: "NOT_ALLOCATED", text: "elsewhere", atMs: 0 };
        await manager.stop(hashOf("a"), reason, FOREVER);
      },
    };
    for (const [why, move] of Object.entries(moved)) {
      const host = new FakeHost();
      const { manager, time } = openTestExecutions(host);
      await manager.ensureRunning(programMessage("a"), BY_SCHEDULER, FOREVER);
      await move(host, manager, time);
      const visited = await manager.ensureRunning(programMessage("a"), BY_VISITOR, FOREVER);
      assert.deepEqual([visited.source, visited.isPersistent], ["visitor", false], why);
      const placed = await manager.ensureRunning(programMessage("a"), BY_SCHEDULER, FOREVER);
      assert.deepEqual([placed.source, placed.isPersistent], ["scheduler", true], why);
    }
  });
});
