import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createDeferred } from "@twentysix/platform";
import type { InstanceContent } from "@twentysix/protocol";
import { ExecutionError } from "../../src/executions/errors.ts";
import type { ExecutionReason } from "../../src/executions/execution.ts";
import { startTestControl } from "../support/test-control.ts";
import { hashOf, instanceMessage, programMessage } from "../support/vm-messages.ts";

const CREDIT = { payment: { chain: null, receiver: null, type: "credit" } } as const;

describe("a scheduler says what shall run", () => {
  let control: Awaited<ReturnType<typeof startTestControl>>;
  beforeEach(async () => {
    control = await startTestControl();
  });
  afterEach(() => control.close());

  function know(...names: readonly string[]): string[] {
    return names.map((name) => {
      const message = name.startsWith("p") ? programMessage(name) : instanceMessage(name);
      control.network.messages.set(message.itemHash, message);
      return message.itemHash;
    });
  }
  function knowPaid(name: string, changes: Partial<InstanceContent> = CREDIT): string {
    const message = instanceMessage(name, changes);
    control.network.messages.set(message.itemHash, message);
    return message.itemHash;
  }
  const push = (body: object) => control.asScheduler("POST", "/control/allocations", body);
  const states = () => Object.fromEntries(control.manager.list().map(({ vmHash, state }) => [vmHash, state]));

  test("and what is listed is started, programs first; the same list again changes nothing", async () => {
    const [program = "", instance = ""] = know("p1", "i1");
    const answer = await push({ persistent_vms: [program], instances: [instance] });
    assert.equal(answer.statusCode, 200);
    const expected = { success: true, successful: [program, instance], failing: [], stopped: [], errors: {} };
    assert.deepEqual(answer.json(), expected);
    assert.deepEqual(control.host.prepared, [program, instance]);
    assert.deepEqual((await push({ persistent_vms: [program], instances: [instance] })).json(), expected);
    assert.deepEqual(control.host.prepared.length, 2);
    assert.ok(
      control.manager.list().every(({ isPersistent, source }) => isPersistent && source === "scheduler"),
    );
  });

  test("and after how long without it what may run elsewhere, which is promised as far as leases allow", async () => {
    const [program = "", instance = "", soon = ""] = know("p1", "i1", "i2");
    const elsewhere_after_seconds = { [program]: 39, [instance]: 900, [soon]: 10, [hashOf("unlisted")]: 900 };
    const list = { persistent_vms: [program], instances: [instance, soon], elsewhere_after_seconds };
    assert.deepEqual((await push(list)).json().fenced, [program, instance]);
    const answer = await control.asScheduler("POST", "/v2/control/allocations", list);
    assert.deepEqual(answer.json().fenced, [program, instance]);
  });

  test("and what is no longer listed is stopped, but not what is paid otherwise", async () => {
    const [held = ""] = know("i1");
    const credited = knowPaid("credit");
    await push({ instances: [held, credited] });
    const answer = await push({});
    assert.deepEqual(answer.json().stopped, [held]);
    assert.deepEqual(states(), { [held]: "stopped", [credited]: "running" });
    assert.equal(control.manager.get(held)?.reason?.code, "NOT_ALLOCATED");
    assert.deepEqual((await push({ instances: [held] })).json().successful, [held]);
    assert.equal(states()[held], "running");
  });

  test("and is told what failed: some is 207, all is 503", async () => {
    const [good = "", bad = ""] = know("i1", "i2");
    control.host.before = async (step, vmHash) => {
      if (step === "start" && vmHash === bad) throw new ExecutionError("GUEST_INIT_FAILED", "it's gone");
    };
    const some = await push({ instances: [good, bad] });
    assert.equal(some.statusCode, 207);
    assert.deepEqual(some.json(), {
      success: false,
      successful: [good],
      failing: [bad],
      stopped: [],
      errors: { [bad]: "VmSetupError('GUEST_INIT_FAILED: it\\'s gone')" },
    });
    const unknown = hashOf("unknown");
    const all = await push({ instances: [unknown] });
    assert.equal(all.statusCode, 503);
    assert.match(all.json().errors[unknown], /NOT_FOUND/);
  });

  test("and what its owner stopped, or let end after a time, stays stopped", async () => {
    const [vmHash = "", other = ""] = know("i1", "i2");
    const stop = (hash: string, reason: ExecutionReason | null) =>
      control.manager.stop(hash, reason, new AbortController().signal);
    await push({ instances: [vmHash, other] });
    await stop(vmHash, null);
    await stop(other, { code: "EXPIRED", text: "its owner let it end", atMs: 0 });
    const answer = await push({ instances: [vmHash, other] });
    assert.equal(answer.statusCode, 200);
    assert.deepEqual([states()[vmHash], states()[other]], ["stopped", "stopped"]);
  });

  test("and what is not paid waits for its payment, not for the next list", async () => {
    const vmHash = knowPaid("credit");
    await push({ instances: [vmHash] });
    const reason = { code: "PAYMENT_MISSING", text: "its credits have ended", atMs: 0 };
    await control.manager.stop(vmHash, reason, new AbortController().signal);
    assert.equal((await push({ instances: [vmHash] })).statusCode, 200);
    assert.equal(states()[vmHash], "stopped");
    assert.deepEqual((await push({ ended: [vmHash] })).json().stopped, [vmHash]);
    assert.equal(
      control.manager.get(vmHash)?.reason?.code,
      "NOT_ALLOCATED",
      "it runs elsewhere, paid or not",
    );
  });

  test("and nothing else is touched while a machine is moved away", async () => {
    const [vmHash = ""] = know("i1");
    await push({ instances: [vmHash] });
    await control.manager.exclusively(vmHash, "export", async (machine) => {
      await machine.stop(machine.signal);
      await machine.mark("exporting", null);
    });
    assert.deepEqual((await push({})).json().stopped, []);
    assert.match((await push({ instances: [vmHash] })).json().errors[vmHash], /is being moved/);
  });

  test("what a scheduler started it may end by name, whatever pays for it", async () => {
    const own = knowPaid("credit");
    await push({ instances: [own] });
    assert.deepEqual((await push({})).json().stopped, [], "absence alone does not end it");
    assert.deepEqual((await push({ instances: [own], ended: [own] })).json().stopped, [], "it is wanted");
    assert.deepEqual((await push({ ended: [own, hashOf("unknown")] })).json().stopped, [own]);
  });

  test("a list that drops most of the machines has to say that it means it", async () => {
    const hashes = know("i1", "i2", "i3", "i4", "i5", "i6", "i7");
    await push({ instances: hashes });
    const refused = await push({});
    assert.deepEqual([refused.statusCode, refused.json().code], [409, "mass_drop_refused"]);
    assert.ok(Object.values(states()).every((state) => state === "running"));
    const meant = await push({ allow_mass_drop: true });
    assert.equal(meant.json().stopped.length, 7);
  });

  test("more lists than can wait are refused for now: nothing is wrong with them, or with the node", async () => {
    const [vmHash = ""] = know("i1");
    const gate = createDeferred<void>();
    control.host.before = () => gate.promise;
    const pushes = Array.from({ length: 8 }, () => push({ instances: [vmHash] }));
    const first = await Promise.race(pushes);
    gate.resolve();
    assert.deepEqual([first.statusCode, first.headers["retry-after"]], [503, "5"]);
    assert.match(first.json().error, /try again later/);
    const statuses = (await Promise.all(pushes)).map(({ statusCode }) => statusCode);
    assert.deepEqual([...new Set(statuses)].toSorted(), [200, 503]);
  });

  test("a body that is none is refused, with where it is wrong", async () => {
    const wrong = await push({ instances: ["x"], persistent_vms: 5 });
    assert.equal(wrong.statusCode, 400);
    assert.deepEqual(
      wrong.json().map(({ loc }: { loc: unknown }) => loc),
      [["persistent_vms"], ["instances", 0]],
    );
    const unsigned = await control.inject({ method: "POST", url: "/control/allocations", payload: "{}" });
    const expected = [401, { error: "Authentication token received is invalid" }];
    assert.deepEqual([unsigned.statusCode, unsigned.json()], expected);
  });

  test("a plan is answered at once, and governs from then on", async () => {
    const [running = "", wanted = "", stopped = ""] = know("i1", "i2", "i3");
    await push({ instances: [running, stopped] });
    const retained = knowPaid("credit");
    await push({ instances: [running, stopped, retained] });
    const unknown = hashOf("unknown");
    const plan = { instances: [running, wanted, unknown], plan_id: "plan-1" };
    const answer = await control.asScheduler("POST", "/v2/control/allocations", plan);
    assert.equal(answer.statusCode, 202);
    const { rejected, ...lists } = answer.json();
    assert.deepEqual(lists, {
      accepted: [wanted],
      pending: [],
      unchanged: [running],
      removing: [stopped],
      retained: [retained],
      plan_id: "plan-1",
    });
    assert.deepEqual([rejected[0].vm_hash, rejected.length], [unknown, 1]);
    while (states()[wanted] !== "running" || states()[stopped] !== "stopped") {
      await new Promise((next) => setImmediate(next));
    }
    const status = await control.asScheduler("GET", "/v2/control/allocations");
    assert.equal(status.json().plan_id, "plan-1");
    const older = await push({});
    assert.deepEqual([older.statusCode, older.json().code], [409, "governed_by_v2_plan"]);
    assert.equal(older.json().endpoint, "/v2/control/allocations");
    await control.time.advance(1_800_001);
    assert.equal((await push({ instances: [running, wanted, retained] })).statusCode, 200);
  });

  test("whether one more would fit is said without starting it", async () => {
    const [vmHash = ""] = know("i1");
    const check = (body: object) => control.asScheduler("POST", "/v2/control/capacity/check", body);
    const fits = (await check({ vm_hash: vmHash })).json();
    assert.deepEqual([fits.fits, fits.reasons, fits.message_required], [true, [], false]);
    const unknown = (await check({ vm_hash: hashOf("unknown") })).json();
    assert.deepEqual([unknown.fits, unknown.message_required], [false, true]);
    const large = instanceMessage("l", {
      resources: { vcpus: 200, memory: 512, seconds: 1, published_ports: null },
    });
    assert.match((await check({ content: large.content })).json().reasons[0], /200 vCPUs required/);
  });

  test("networks are built anew", async () => {
    const [vmHash = ""] = know("i1");
    await push({ instances: [vmHash] });
    const answer = (await control.asScheduler("POST", "/control/network/recreate")).json();
    assert.deepEqual([answer.success, answer.recreated_vms, answer.failed_count], [true, [vmHash], 0]);
    const proxy = (await control.asScheduler("POST", "/control/proxy/regenerate")).json();
    assert.equal(proxy.success, true);
  });
});
