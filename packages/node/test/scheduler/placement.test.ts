import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "@twentysix/protocol";
import { createClient } from "@twentysix/sdk";
import { eventually } from "../support/eventually.ts";
import { checkNode, checkPage, checkVm } from "./support/client-expectations.ts";
import { nodeHash, startSchedulerNetwork } from "./support/test-network.ts";

describe("a scheduler over a real core node", { timeout: 120_000 }, () => {
  test("places machines, starts them, shows them and ends them", async () => {
    await using network = await startSchedulerNetwork();
    const one = await network.addNode("one");
    const two = await network.addNode("two");
    const { get } = await network.start();
    const hashes = [
      await network.createInstance(),
      await network.createInstance(),
      await network.createProgram(),
    ];
    const ranBy = (hash: string) => [one, two].filter((node) => node.running.has(hash));
    await eventually(() => hashes.every((hash) => ranBy(hash).length === 1));
    assert.deepEqual([one.running.size, two.running.size].toSorted(), [1, 2], "they are spread");

    const vmOf = async (hash: string) => checkVm(await get(`/api/v1/vms/${hash}`));
    await eventually(async () =>
      (await Promise.all(hashes.map(vmOf))).every(({ status }) => status === "dispatched"),
    );
    for (const [index, hash] of hashes.entries()) {
      const vm = await vmOf(hash);
      const [node] = ranBy(hash);
      assert.equal(vm.allocated_node, node?.hash);
      assert.deepEqual(vm.observed_nodes, [node?.hash]);
      assert.equal(vm.scheduling_status, "scheduled");
      assert.equal(vm.owner, network.owner.address);
      assert.equal(vm.vm_type, index === 2 ? "persistent_program" : "instance");
      assert.equal(vm.requirements_disk_mb, index === 2 ? 0 : 20_480);
      assert.equal(vm.ipv6, "2a01:4f8:171:1:3:deca:deca:dec1");
    }
    const vms = checkPage(await get(`/api/v1/vms?owners=${network.owner.address.toLowerCase()}`), checkVm);
    assert.deepEqual(
      vms.map(({ vm_hash }) => vm_hash),
      hashes,
      "in the order in which they were seen",
    );
    const nodes = checkPage(await get("/api/v1/nodes?page_size=500"), checkNode);
    assert.deepEqual(
      nodes.map(({ node_hash }) => node_hash),
      [one.hash, two.hash],
    );
    assert.deepEqual(
      nodes.map(({ status }) => status),
      ["Healthy", "Healthy"],
    );

    const [gone = ""] = hashes;
    await network.forget(gone);
    await eventually(() => ranBy(gone).length === 0);
    await eventually(async () => (await vmOf(gone)).status === "unscheduled");
    const row = await vmOf(gone);
    assert.deepEqual([row.allocated_node, row.reason?.code], [null, "deleted"]);
    assert.equal(ranBy(hashes[1] ?? "").length, 1, "the others stay");
    const history = (await get(`/api/v1/vms/${gone}/history`)) as {
      items: { action: string; reason: unknown }[];
    };
    assert.deepEqual(
      history.items.map(({ action, reason }) => [action, reason]),
      [
        ["unscheduled", "deleted"],
        ["scheduled", null],
      ],
    );
    for (const node of network.nodes) assert.deepEqual(node.problems, []);
  });

  test("says why a machine has no node, and places it once one can have it", async () => {
    await using network = await startSchedulerNetwork();
    await network.addNode("private", { ipv6Pool: "fc00:1:2:3::/64" });
    await network.addNode("waiting", { status: "waiting" });
    const { get } = await network.start({ requiresPublicIpv6: true });
    const hash = await network.createInstance();
    await eventually(async () => {
      const vm = (await get(`/api/v1/vms/${hash}`)) as { status?: string };
      return vm.status === "unschedulable";
    });
    const vm = checkVm(await get(`/api/v1/vms/${hash}`));
    assert.match(vm.reason?.text ?? "", /1 no public IPv6/);
    assert.match(vm.reason?.text ?? "", /1 not linked/);
    const explained = (await get(`/api/v1/vms/${hash}/explain`)) as {
      nodes: { node_hash: string; excluded_by: { code: string } | null }[];
    };
    const codes = Object.fromEntries(explained.nodes.map((node) => [node.node_hash, node.excluded_by?.code]));
    assert.deepEqual(codes, {
      [nodeHash("private")]: "no_public_ipv6",
      [nodeHash("waiting")]: "not_linked",
    });
    await network.setStatus("waiting", "linked");
    await eventually(() => network.nodes[1]?.running.has(hash) === true);
  });

  test("heeds what owners of machines wish, as soon as they publish it", async () => {
    await using network = await startSchedulerNetwork();
    const { get } = await network.start();
    const hash = await network.createInstance();
    const wish = (content: JsonObject) =>
      createClient({ apiUrl: network.core.apiUrl }).createAggregate({
        ...{ account: network.owner, key: "placement", content, sync: true },
      });
    await eventually(async () => ((await get("/api/v1/stats")) as { total_vms: number }).total_vms === 1);
    await wish({ [hash]: { country: ["FR"] } });
    const node = await network.addNode("somewhere");
    const excludedBy = async (): Promise<string | null> => {
      const { nodes } = (await get(`/api/v1/vms/${hash}/explain`)) as {
        nodes: { excluded_by: { code: string } | null }[];
      };
      return nodes[0]?.excluded_by?.code ?? null;
    };
    await eventually(async () => (await excludedBy()) === "country");
    await wish({ [hash]: {} });
    await eventually(() => node.running.has(hash));
  });

  test("heeds what an owner wished before the machine was published", async () => {
    await using network = await startSchedulerNetwork();
    const node = await network.addNode("somewhere");
    const { get } = await network.start();
    const known = await network.createInstance();
    await eventually(() => node.running.has(known));
    const { itemHash, publish } = await network.prepareInstance();
    await createClient({ apiUrl: network.core.apiUrl }).createAggregate({
      ...{
        account: network.owner,
        key: "placement",
        content: { [itemHash]: { country: ["FR"] } },
        sync: true,
      },
    });
    await publish();
    await eventually(async () => {
      const vm = (await get(`/api/v1/vms/${itemHash}`)) as { status?: string };
      return vm.status === "unschedulable";
    });
    assert.ok(!node.running.has(itemHash));
    const history = (await get(`/api/v1/vms/${itemHash}/history`)) as { items: unknown[] };
    assert.deepEqual(history.items, [], "it never had a node");
  });

  test("goes elsewhere from a node that refuses a machine", async () => {
    await using network = await startSchedulerNetwork();
    const first = await network.addNode("only");
    const { get } = await network.start();
    const hash = await network.createInstance();
    await eventually(() => first.running.has(hash));
    const second = await network.addNode("second", { memoryKilobytes: 900_000_000 });
    await eventually(async () => {
      const node = (await get(`/api/v1/nodes/${second.hash}`)) as { status?: string };
      return node.status === "Healthy";
    });
    const refused = new Set<string>();
    // Whatever comes next goes to the empty node, and is refused there.
    second.refuses.has = (vmHash) => refused.add(vmHash).has(vmHash);
    second.refuses.get = () => "VmSetupError('no')";
    const taken = await network.createInstance();
    await eventually(() => first.running.has(taken));
    assert.ok(refused.has(taken));
    const history = (await get(`/api/v1/vms/${taken}/history`)) as { items: { reason: string | null }[] };
    assert.ok(history.items.some(({ reason }) => reason?.startsWith("node_refused: VmSetupError")));
  });

  test("starts a machine that leaves a node from nothing once it has ended there", async () => {
    await using network = await startSchedulerNetwork();
    const first = await network.addNode("first");
    const { get } = await network.start({ hasMigrations: false });
    const hash = await network.createInstance();
    await eventually(() => first.running.has(hash));
    await network.wish([hash], { cold_restart: true });
    await eventually(() => Object.hasOwn(first.pushes.at(-1)?.elsewhere_after_seconds ?? {}, hash));
    const second = await network.addNode("second");
    // Its guest takes its time to shut down.
    first.ignoresLists = true;
    await network.setStatus("first", "waiting");
    const allocatedTo = async (): Promise<string | undefined> =>
      ((await get(`/api/v1/vms/${hash}`)) as { allocated_node?: string }).allocated_node;
    await eventually(async () => (await allocatedTo()) === second.hash);
    await eventually(() => first.pushes.at(-1)?.ended?.includes(hash) === true);
    const sent = second.pushes.length;
    await eventually(() => second.pushes.length >= sent + 2);
    assert.ok(!second.running.has(hash), "or it would run twice");
    first.ignoresLists = false;
    await eventually(() => second.running.has(hash));
    assert.ok(!first.running.has(hash));
  });
});
