import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultSchedulerSettings } from "@twentysix/services";
import { eventually } from "../support/eventually.ts";
import { checkVm } from "./support/client-expectations.ts";
import type { FakeComputeNode } from "./support/fake-compute-node.ts";
import { type SchedulerNetwork, startSchedulerNetwork, type TestScheduler } from "./support/test-network.ts";

const migration = { ...defaultSchedulerSettings.migration, pollMs: 50, firstRetryMs: 300, maxRetryMs: 600 };

/** An instance that runs on the first node, and other nodes to which it can go. */
async function runningInstance(
  network: SchedulerNetwork,
  others: readonly string[],
): Promise<{ scheduler: TestScheduler; hash: string; source: FakeComputeNode; targets: FakeComputeNode[] }> {
  const source = await network.addNode("source");
  const scheduler = await network.start({ migration });
  const hash = await network.createInstance();
  await eventually(async () => {
    const vm = (await scheduler.get(`/api/v1/vms/${hash}`)) as { status?: string };
    return vm.status === "dispatched";
  });
  const targets: FakeComputeNode[] = [];
  for (const label of others) targets.push(await network.addNode(label));
  await eventually(async () => {
    const { healthy_nodes } = (await scheduler.get("/api/v1/stats")) as { healthy_nodes: number };
    return healthy_nodes === 1 + others.length;
  });
  return { scheduler, hash, source, targets };
}

const statusOf = async ({ get }: TestScheduler, hash: string) => checkVm(await get(`/api/v1/vms/${hash}`));

describe("a migration", { timeout: 180_000 }, () => {
  test("takes the disk along, and nobody is sent a list meanwhile", async () => {
    await using network = await startSchedulerNetwork();
    const { scheduler, hash, source, targets } = await runningInstance(network, ["target"]);
    const [target] = targets;
    assert.ok(target !== undefined);
    target.migrations.isImportHeld = true;
    await network.setStatus("source", "waiting");
    await eventually(async () => (await statusOf(scheduler, hash)).status === "migrating");
    const moving = await statusOf(scheduler, hash);
    assert.deepEqual([moving.allocated_node, moving.migration_target], [source.hash, target.hash]);
    await eventually(() => target.migrations.calls.includes("import"));
    const sent = [source.pushes.length, target.pushes.length];
    const contact = source.lastContactMs;
    await eventually(() => source.lastContactMs > contact + 1_000 && target.lastContactMs > contact + 1_000);
    assert.deepEqual([source.pushes.length, target.pushes.length], sent, "longer than lists are apart");
    target.migrations.isImportHeld = false;
    await eventually(async () => (await statusOf(scheduler, hash)).status === "dispatched");
    const moved = await statusOf(scheduler, hash);
    assert.deepEqual([moved.allocated_node, moved.migration_target], [target.hash, null]);
    assert.ok(target.running.has(hash));
    assert.deepEqual(source.migrations.calls, ["export", "cleanup"]);
    await eventually(() => target.pushes.at(-1)?.instances.includes(hash) === true);
    assert.ok(
      target.pushes.slice(sent[1]).every(({ instances }) => instances.includes(hash)),
      "its target is never told that it is not wanted there, whatever its source was last seen to run",
    );
    assert.ok(
      source.pushes.slice(sent[0]).every(({ instances }) => !instances.includes(hash)),
      "its source is never told to run it again",
    );
    const { items } = (await scheduler.get(`/api/v1/vms/${hash}/history`)) as {
      items: { action: string; node_hash: string; reason: string }[];
    };
    assert.deepEqual(
      items.slice(0, 2).map(({ action, node_hash, reason }) => [action, node_hash, reason]),
      [
        ["migrated_to", target.hash, "node_unlinked"],
        ["migrated_from", source.hash, "node_unlinked"],
      ],
    );
  });

  test("tries other targets, and stays on its source when none takes it", async () => {
    await using network = await startSchedulerNetwork();
    const { scheduler, hash, source, targets } = await runningInstance(network, ["a", "b"]);
    for (const target of targets) target.migrations.failsImport.add(hash);
    await network.setStatus("source", "waiting");
    await eventually(() => targets.every(({ migrations }) => migrations.calls.includes("import")));
    await eventually(
      () => source.pushes.at(-1)?.instances.includes(hash) === true && source.running.has(hash),
    );
    const kept = await statusOf(scheduler, hash);
    assert.equal(kept.allocated_node, source.hash);
    assert.ok(source.migrations.calls.includes("cancel"), "no node starts what is copied elsewhere");
    for (const target of targets) target.migrations.failsImport.clear();
    await eventually(async () => (await statusOf(scheduler, hash)).allocated_node !== source.hash);
    assert.ok(targets.some(({ running }) => running.has(hash)));
  });

  test("tries no other target while one may run it yet", async () => {
    await using network = await startSchedulerNetwork();
    const { scheduler, hash, source, targets } = await runningInstance(network, ["a", "b"]);
    for (const target of targets) target.migrations.forgetsImport.add(hash);
    await network.setStatus("source", "waiting");
    // What is said of the machine is the plan's word again with the next round.
    await eventually(() =>
      scheduler.log.records.some(({ message }) => message.includes("could not be moved")),
    );
    const asked = targets.filter(({ migrations }) => migrations.calls.includes("import"));
    assert.equal(asked.length, 1);
    assert.ok(!source.migrations.calls.includes("cancel"), "nor is it started where it was");
  });

  test("goes on after a restart in the middle of it", async () => {
    await using network = await startSchedulerNetwork();
    const { scheduler, hash, source, targets } = await runningInstance(network, ["target"]);
    const [target] = targets;
    assert.ok(target !== undefined);
    target.migrations.isImportHeld = true;
    await network.setStatus("source", "waiting");
    await eventually(() => target.migrations.calls.includes("import"));
    await scheduler.running.close();
    const sent = [source.pushes.length, target.pushes.length];
    const again = await network.start({ migration });
    assert.equal((await statusOf(again, hash)).status, "migrating");
    const contact = source.lastContactMs;
    await eventually(() => source.lastContactMs > contact + 1_000);
    assert.deepEqual([source.pushes.length, target.pushes.length], sent);
    target.migrations.isImportHeld = false;
    await eventually(async () => (await statusOf(again, hash)).status === "dispatched");
    assert.equal((await statusOf(again, hash)).allocated_node, target.hash);
  });

  test("is given up when its node cannot export, and tried again later", async () => {
    await using network = await startSchedulerNetwork();
    const { scheduler, hash, source, targets } = await runningInstance(network, ["target"]);
    source.migrations.failsExport.add(hash);
    await network.setStatus("source", "waiting");
    await eventually(async () => (await statusOf(scheduler, hash)).reason?.code === "migration_failed");
    assert.ok(source.running.has(hash));
    source.migrations.failsExport.clear();
    await eventually(() => targets[0]?.running.has(hash) === true);
  });

  test("is tried again when its source was started anew in the middle of the export", async () => {
    await using network = await startSchedulerNetwork();
    const { scheduler, hash, source, targets } = await runningInstance(network, ["target"]);
    source.migrations.isRestarting.add(hash);
    await network.setStatus("source", "waiting");
    await eventually(() =>
      scheduler.log.records.some(({ message }) => message.includes("could not be moved")),
    );
    source.migrations.isRestarting.clear();
    await eventually(() => targets[0]?.running.has(hash) === true);
  });

  test("of a machine that is taken back meanwhile leaves nothing on either side", async () => {
    await using network = await startSchedulerNetwork();
    const { scheduler, hash, source, targets } = await runningInstance(network, ["target"]);
    const [target] = targets;
    assert.ok(target !== undefined);
    target.migrations.isImportHeld = true;
    await network.setStatus("source", "waiting");
    await eventually(() => target.migrations.calls.includes("import"));
    await network.forget(hash);
    target.migrations.isImportHeld = false;
    await eventually(async () => (await statusOf(scheduler, hash)).status === "unscheduled");
    await eventually(() => !source.running.has(hash) && !target.running.has(hash));
    assert.ok(source.migrations.calls.includes("cleanup"));
  });
});
