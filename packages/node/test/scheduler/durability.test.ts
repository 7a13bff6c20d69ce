import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { replayDecisions } from "@twentysix/services";
import { eventually } from "../support/eventually.ts";
import { checkPage, checkVm } from "./support/client-expectations.ts";
import { startSchedulerNetwork } from "./support/test-network.ts";

describe("what a scheduler keeps", { timeout: 180_000 }, () => {
  test("is served at once after a restart, and stays where it is", async () => {
    await using network = await startSchedulerNetwork();
    const one = await network.addNode("one");
    const two = await network.addNode("two");
    const first = await network.start();
    const hashes = [
      await network.createInstance(),
      await network.createInstance(),
      await network.createInstance(),
    ];
    const place = () => hashes.map((hash) => [one, two].find((node) => node.running.has(hash))?.hash);
    await eventually(() => place().every((hash) => hash !== undefined));
    const before = place();
    await eventually(async () =>
      checkPage(await first.get("/api/v1/vms"), checkVm).every(({ status }) => status === "dispatched"),
    );
    await first.running.close();
    await network.core.stop();
    const second = await network.start();
    const rows = checkPage(await second.get("/api/v1/vms"), checkVm);
    assert.deepEqual(
      rows.map(({ vm_hash, allocated_node }) => [vm_hash, allocated_node]),
      zip(hashes, before),
    );
    const history = checkPage(await second.get(`/api/v1/nodes/${one.hash}/history`), (row) => row);
    assert.equal(history.length, before.filter((hash) => hash === one.hash).length);
    const pushes = one.pushes.length;
    const contact = one.lastContactMs;
    await eventually(() => one.lastContactMs > contact + 500);
    assert.equal(one.pushes.length, pushes, "without its messages it sends nothing");
    assert.deepEqual(place(), before);
    await second.running.close();
  });

  test("is taken over from what runs already, when it knows nothing yet", async () => {
    await using network = await startSchedulerNetwork();
    const one = await network.addNode("one");
    const two = await network.addNode("two");
    const hashes = [
      await network.createInstance(),
      await network.createInstance(),
      await network.createInstance(),
    ];
    for (const hash of hashes) two.running.add(hash);
    const { get } = await network.start();
    await eventually(async () => {
      const rows = checkPage(await get("/api/v1/vms"), checkVm);
      return rows.length === 3 && rows.every(({ status }) => status === "dispatched");
    });
    await eventually(() => one.pushes.length > 0 && two.pushes.length > 0);
    assert.deepEqual([one.running.size, two.running.size], [0, 3], "nothing was moved");
  });

  test("is decided on by one at a time, and followed by those who stand by", async () => {
    await using network = await startSchedulerNetwork();
    const node = await network.addNode("one");
    const active = await network.start();
    const first = await network.createInstance();
    await eventually(() => node.running.has(first));
    const standby = await network.start();
    await eventually(async () => checkPage(await standby.get("/api/v1/vms"), checkVm).length === 1);
    const second = await network.createInstance();
    await eventually(async () => {
      const vm = (await standby.get(`/api/v1/vms/${second}`)) as { allocated_node?: string };
      return vm.allocated_node === node.hash;
    });
    assert.ok(!standby.log.records.some(({ message }) => message.includes("decides now")));
    await active.running.close();
    const third = await network.createInstance();
    await eventually(() => node.running.has(third));
    assert.ok(standby.log.records.some(({ message }) => message.includes("decides now")));
    assert.deepEqual(
      [first, second, third].map((hash) => node.running.has(hash)),
      [true, true, true],
    );
    assert.deepEqual(node.problems, [], "no payload was sent twice");
  });

  test("can be decided again by anybody, with the same outcome", async () => {
    await using network = await startSchedulerNetwork();
    await network.addNode("one");
    const two = await network.addNode("two");
    const scheduler = await network.start();
    const hashes = [await network.createInstance(), await network.createProgram()];
    await eventually(async () =>
      checkPage(await scheduler.get("/api/v1/vms"), checkVm).every(({ status }) => status === "dispatched"),
    );
    await network.forget(hashes[0] ?? "");
    await network.setStatus("two", "waiting");
    await eventually(() => two.running.size === 0);
    await scheduler.running.close();
    const { rounds, differing } = replayDecisions(scheduler.dataDir);
    assert.ok(rounds >= 2);
    assert.deepEqual(differing, []);
  });
});

const zip = <A, B>(first: readonly A[], second: readonly B[]): [A, B | undefined][] =>
  first.map((item, index) => [item, second[index]]);
