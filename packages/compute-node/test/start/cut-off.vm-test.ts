import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultSchedulerSettings } from "@twentysix/services";
import { onPrivateHost } from "../networking/support/private-host.ts";
import { GuestWatch } from "./support/guest-watch.ts";
import { SmallCloud } from "./support/small-cloud.ts";

/** Instances that may start elsewhere do so after a minute here, not after a quarter of an hour. */
const failover = { ...defaultSchedulerSettings.failover, instanceMs: 60_000, maxNodesShare: 1 };
const settings = { failover, pushPeriodMs: 5_000, snapshotPeriodMs: 5_000 };

onPrivateHost(import.meta.url, () => {
  test("what runs on a machine that is cut off ends before others start it, however it is cut off", {
    skip: process.env.TWENTYSIX_TEST_VM === "short",
    timeout: 400_000,
  }, async (t) => {
    const beganMs = Date.now();
    const say = (what: string): void =>
      t.diagnostic(`${((Date.now() - beganMs) / 1_000).toFixed(1)} s: ${what}`);
    const eventually = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
      while (!(await isSo())) await sleep(100, undefined, { signal: t.signal });
    };
    await using cloud = await SmallCloud.start(4, t.signal);
    const [one, two, three, spare] = cloud.machines;
    assert.ok(one && two && three && spare);
    const lost = [one, two, three];
    await cloud.register(lost);
    await cloud.schedule(settings);
    await using watch = new GuestWatch(cloud.folder, cloud.machines);
    say("all nodes answer");

    const homeOf = async (vmHash: string): Promise<string | null> => {
      const { status, allocated_node } = await cloud.vm(vmHash);
      const places = watch.placesOf(vmHash);
      const isSettled = status === "dispatched" && places.length === 1 && places[0] === allocated_node;
      return isSettled ? (allocated_node ?? null) : null;
    };
    const instances = await Promise.all(lost.map((_, index) => cloud.createInstance(`instance ${index}`)));
    await cloud.allowColdRestart(instances);
    for (const vmHash of instances) await eventually(async () => (await homeOf(vmHash)) !== null);
    const program = await cloud.createProgram("kept alive");
    await eventually(async () => (await homeOf(program)) !== null);
    const all = [program, ...instances];
    const homes = new Set(await Promise.all(instances.map((vmHash) => homeOf(vmHash))));
    assert.equal(homes.size, lost.length, "an instance on each node");
    await eventually(() => lost.flatMap((machine) => machine.promised()).length === all.length);
    say("all run: an instance on each of three nodes, a program on one");

    const programHome = await homeOf(program);
    const partitioned = lost.find(({ nodeHash }) => nodeHash === programHome);
    const [unscheduled, killed] = lost.filter((machine) => machine !== partitioned);
    assert.ok(partitioned && unscheduled && killed);
    const fates = new Map([
      [partitioned.nodeHash, "cut off"],
      [unscheduled.nodeHash, "cut off from the scheduler alone"],
      [killed.nodeHash, "cut off, whose node and helper were killed"],
    ]);
    await cloud.register(cloud.machines);
    await eventually(async () => (await cloud.node(spare.nodeHash)).status === "Healthy");
    await partitioned.cut();
    await unscheduled.cutFromScheduler();
    await killed.cut();
    await killed.killNodeAndHelper();
    const cutAtMs = Date.now();
    const lives = () => watch.lives.filter(({ vmHash }) => all.includes(vmHash));
    const guestsBefore = lives().filter(({ endedByMs }) => endedByMs === null);
    assert.equal(guestsBefore.length, all.length, "a cut ends nothing by itself");
    for (const vmHash of all) await eventually(async () => (await homeOf(vmHash)) === spare.nodeHash);
    say("all run on the fourth node");

    for (const { vmHash, nodeHash, endedByMs } of guestsBefore) {
      const next = watch.lives.find((life) => life.vmHash === vmHash && life.nodeHash === spare.nodeHash);
      const decided = (await cloud.historyOf(vmHash)).find(
        ({ action, node_hash }) => action === "scheduled" && node_hash === spare.nodeHash,
      );
      const decidedMs = Date.parse(decided?.timestamp ?? "");
      assert.ok(endedByMs !== null && next !== undefined);
      const name = `the ${vmHash === program ? "program" : "instance"} of the node ${fates.get(nodeHash)}`;
      const after = (ms: number): string => `${((ms - cutAtMs) / 1_000).toFixed(1)} s`;
      t.diagnostic(
        `${name}: ended ${after(endedByMs)} after the cut, decided ${after(decidedMs)}, began ${after(next.notBeforeMs)}`,
      );
      assert.ok(endedByMs < decidedMs, `${name} ended before it was decided to start it elsewhere`);
      assert.ok(decidedMs <= next.seenAtMs, `${name} began elsewhere by that decision`);
    }

    await partitioned.heal();
    await unscheduled.heal();
    await killed.heal();
    await killed.start();
    for (const { nodeHash } of lost)
      await eventually(async () => (await cloud.node(nodeHash)).status === "Healthy");
    for (const machine of lost) await eventually(async () => (await machine.wanted()).length === 0);
    say("the cables are back, and the three nodes know that they run nothing");
    for (const machine of lost) {
      const { entries, orphans } = await machine.inspect();
      assert.deepEqual(orphans, []);
      assert.deepEqual(
        entries.filter(({ kind, vmHash }) => kind !== "folder" && vmHash !== null),
        [],
      );
    }
    for (const vmHash of all) assert.deepEqual(watch.placesOf(vmHash), [spare.nodeHash]);
    const second = lives().filter(
      ({ notBeforeMs, nodeHash }) => notBeforeMs > cutAtMs && nodeHash !== spare.nodeHash,
    );
    assert.deepEqual(second, [], "nothing of it ever ran twice");
  });
});
