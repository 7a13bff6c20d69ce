import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { checkVm } from "./support/client-expectations.ts";
import { nodeHash, startSchedulerNetwork } from "./support/test-network.ts";

const UNKNOWN = "e".repeat(64);

describe("lists to nodes", { timeout: 180_000 }, () => {
  test("are complete, sent again and again, and follow each other one by one", async () => {
    await using network = await startSchedulerNetwork();
    const node = await network.addNode("one");
    await network.start();
    const hashes = [await network.createInstance(), await network.createProgram()];
    await eventually(() => hashes.every((hash) => node.running.has(hash)));
    const before = node.pushes.length;
    await eventually(() => node.pushes.length >= before + 3);
    const last = node.pushes.at(-1);
    assert.deepEqual(
      [last?.route, last?.instances, last?.persistent_vms],
      ["/control/allocations", [hashes[0]], [hashes[1]]],
    );
    await network.forget(hashes[0] ?? "");
    await network.forget(hashes[1] ?? "");
    await eventually(() => node.running.size === 0);
    assert.deepEqual(node.pushes.at(-1)?.instances, [], "also an empty list is sent");
    assert.deepEqual(node.problems, []);
  });

  test("wait for all that they rest on, and are never sent in a dry run", async () => {
    await using network = await startSchedulerNetwork();
    const node = await network.addNode("one");
    const { get } = await network.start({ isDryRun: true });
    const hash = await network.createInstance();
    await eventually(async () => checkable(await get(`/api/v1/vms/${hash}`)) === nodeHash("one"));
    const plan = (await get("/api/v0/plan")) as { plan: Record<string, { instances: string[] }> };
    assert.deepEqual(plan.plan[nodeHash("one")]?.instances, [hash]);
    const contact = node.lastContactMs;
    await eventually(() => node.lastContactMs > contact);
    assert.deepEqual(node.pushes, []);
  });

  test("go elsewhere from a node that does not trust the scheduler, which says so", async () => {
    await using network = await startSchedulerNetwork();
    const stranger = await network.addNode("stranger", { signers: [] });
    const { get, log } = await network.start();
    const hash = await network.createInstance();
    await eventually(async () => {
      const vm = (await get(`/api/v1/vms/${hash}`)) as { reason?: { code: string } | null };
      return vm.reason?.code === "node_refused";
    });
    assert.ok(log.records.some(({ message }) => message.includes("needs its operator")));
    const other = await network.addNode("other");
    await eventually(() => other.running.has(hash));
    stranger.signers = other.signers;
    const again = await network.createInstance({ resources: { vcpus: 2, memory: 4_096 } });
    await eventually(() => stranger.running.has(again) || other.running.has(again));
    assert.equal(stranger.running.has(hash), false);
  });

  test("take the newer route where a node wants it", async () => {
    await using network = await startSchedulerNetwork();
    const node = await network.addNode("one");
    node.isGovernedByV2 = true;
    await network.start();
    const hash = await network.createInstance();
    await eventually(() => node.running.has(hash));
    assert.ok(node.pushes.every(({ route }) => route === "/v2/control/allocations"));
  });

  test("take the newer route where a node answers for its plan", async () => {
    await using network = await startSchedulerNetwork();
    const node = await network.addNode("one");
    node.hasPlans = true;
    await network.start({ capabilitiesPeriodMs: 100 });
    const hash = await network.createInstance();
    await eventually(() => node.running.has(hash));
    await eventually(() => node.pushes.at(-1)?.route === "/v2/control/allocations");
    assert.deepEqual(node.problems, []);
  });

  test("reach nodes that have the older list alone", async () => {
    await using network = await startSchedulerNetwork();
    const node = await network.addNode("one");
    node.isOld = true;
    const { get } = await network.start();
    const hash = await network.createInstance();
    await eventually(() => node.running.has(hash));
    await eventually(async () => checkVm(await get(`/api/v1/vms/${hash}`)).status === "dispatched");
  });

  test("end nothing that nobody can explain", async () => {
    await using network = await startSchedulerNetwork();
    const node = await network.addNode("one");
    for (let index = 0; index < 6; index += 1) node.running.add(`${index}`.repeat(64));
    const { log } = await network.start();
    await eventually(() => log.records.some(({ fields }) => String(fields.text).includes("held back")));
    assert.equal(node.running.size, 6);
    assert.deepEqual(node.pushes, []);
    node.running.delete("5".repeat(64));
    await eventually(() => node.pushes.length > 0);
    assert.equal(node.running.size, 0, "five may be orphans");
  });

  test("name what runs where it shall not any more", async () => {
    await using network = await startSchedulerNetwork();
    const one = await network.addNode("one");
    const { get } = await network.start({ handOverMs: 500 });
    const program = await network.createProgram();
    await eventually(async () => checkable(await get(`/api/v1/vms/${program}`)) === one.hash);
    await eventually(() => one.running.has(program));
    const two = await network.addNode("two");
    one.ignoresLists = true;
    await network.setStatus("one", "waiting");
    await eventually(() => two.running.has(program));
    await eventually(() => one.pushes.at(-1)?.ended?.includes(program) === true);
    await eventually(async () => checkVm(await get(`/api/v1/vms/${program}`)).status === "duplicated");
    one.ignoresLists = false;
    await eventually(async () => checkVm(await get(`/api/v1/vms/${program}`)).status === "dispatched");
    assert.deepEqual(two.pushes.at(-1)?.ended, undefined);
  });

  test("pause where another scheduler seems to be at work", async () => {
    await using network = await startSchedulerNetwork();
    const node = await network.addNode("one");
    const { log } = await network.start();
    const hash = await network.createInstance();
    await eventually(() => node.running.has(hash));
    node.stopsToo = [UNKNOWN];
    await eventually(() =>
      log.records.some(({ fields }) => String(fields.text).includes("another scheduler")),
    );
    const pushes = node.pushes.length;
    const contact = node.lastContactMs;
    await eventually(() => node.lastContactMs > contact + 1_000);
    assert.equal(node.pushes.length, pushes);
  });
});

const checkable = (value: unknown): unknown => (value as { allocated_node?: unknown }).allocated_node;
