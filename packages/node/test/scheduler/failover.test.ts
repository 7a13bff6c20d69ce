import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultSchedulerSettings } from "@twentysix/services";
import { eventually } from "../support/eventually.ts";
import { checkNode, checkVm } from "./support/client-expectations.ts";
import { OTHER_KEY, SIGNER, startSchedulerNetwork } from "./support/test-network.ts";

const NODE_LEASE_MS = 1_500;
const failover = {
  ...defaultSchedulerSettings.failover,
  programMs: 500,
  nodeLeaseMs: NODE_LEASE_MS,
  fenceMarginMs: 100,
};

describe("a node that falls silent", { timeout: 180_000 }, () => {
  test("is waited for also where it was told to end a machine before, and gave no word", async () => {
    await using network = await startSchedulerNetwork();
    const one = await network.addNode("one");
    const { get } = await network.start({ failover: { ...failover, nodeLeaseMs: 4_000 } });
    const program = await network.createProgram();
    await eventually(() => one.running.has(program));
    await eventually(async () => checkVm(await get(`/api/v1/vms/${program}`)).status === "dispatched");
    one.ignoresLists = true;
    const two = await network.addNode("two");
    await network.setStatus("one", "waiting");
    await eventually(() => one.pushes.at(-1)?.ended?.includes(program) === true);
    one.isSilent = true;
    await eventually(() => two.running.has(program));
    const startedMs = two.pushes.find(({ persistent_vms }) => persistent_vms.includes(program))?.atMs ?? 0;
    assert.ok(startedMs - one.lastContactMs >= 4_000, "not before it has ended on the first one");
    assert.equal(checkVm(await get(`/api/v1/vms/${program}`)).allocated_node, two.hash);
  });

  test("loses its programs once they cannot run there any more, and keeps its instances", async () => {
    await using network = await startSchedulerNetwork();
    const one = await network.addNode("one");
    const { get } = await network.start({ failover });
    const program = await network.createProgram();
    const instance = await network.createInstance();
    await eventually(() => one.running.has(program) && one.running.has(instance));
    await eventually(async () => checkVm(await get(`/api/v1/vms/${program}`)).status === "dispatched");
    const two = await network.addNode("two");
    await eventually(
      async () => ((await get(`/api/v1/nodes/${two.hash}`)) as { status?: string }).status === "Healthy",
    );
    one.isSilent = true;
    const silentMs = Date.now();
    await eventually(() => two.running.has(program));
    const startedMs = two.pushes.find(({ persistent_vms }) => persistent_vms.includes(program))?.atMs ?? 0;
    const lastMs = Math.min(one.lastContactMs, silentMs);
    assert.ok(startedMs - lastMs >= NODE_LEASE_MS, "not before its machines there have ended");
    await eventually(async () => checkVm(await get(`/api/v1/vms/${program}`)).status === "dispatched");
    assert.equal(two.running.has(instance), false);
    const kept = checkVm(await get(`/api/v1/vms/${instance}`));
    assert.deepEqual([kept.allocated_node, kept.reason?.code], [one.hash, "node_unreachable"]);
    assert.equal(checkNode(await get(`/api/v1/nodes/${one.hash}`)).status, "Unreachable");
    assert.equal(
      checkNode(await get(`/api/v1/nodes/${one.hash}`)).address,
      one.address,
      "its address stays known",
    );
    const { items } = (await get(`/api/v1/vms/${program}/history`)) as {
      items: { action: string; node_hash: string; reason: string | null }[];
    };
    assert.deepEqual(
      items.slice(0, 2).map(({ action, node_hash, reason }) => [action, node_hash, reason]),
      [
        ["scheduled", two.hash, "node_unreachable"],
        ["unscheduled", one.hash, "node_unreachable"],
      ],
    );

    one.isSilent = false;
    await eventually(async () => checkVm(await get(`/api/v1/vms/${instance}`)).status === "dispatched");
    await eventually(() => !one.running.has(program));
    assert.ok(one.running.has(instance), "it came back with what it had");
    assert.ok(two.running.has(program));
  });

  test("loses the instances that may start from nothing, as far as it has promised that they end", async () => {
    await using network = await startSchedulerNetwork();
    const one = await network.addNode("one");
    one.promises = "all";
    const { get } = await network.start({ failover: { ...failover, instanceMs: 2_000 } });
    const told = await network.createInstance();
    const untold = await network.createInstance();
    const bound = await network.createInstance();
    const wish = (hashes: readonly string[]): Promise<void> => network.wish(hashes, { cold_restart: true });
    await wish([told]);
    await eventually(() => one.pushes.at(-1)?.elsewhere_after_seconds?.[told] === 2);
    const two = await network.addNode("two");
    await eventually(
      async () => ((await get(`/api/v1/nodes/${two.hash}`)) as { status?: string }).status === "Healthy",
    );
    one.isSilent = true;
    const silentMs = Date.now();
    await wish([told, untold]);
    await eventually(() => two.running.has(told));
    const startedMs = two.pushes.find(({ instances }) => instances.includes(told))?.atMs ?? 0;
    assert.ok(startedMs - Math.min(one.lastContactMs, silentMs) >= 2_000);
    const reasonOf = async (hash: string) => checkVm(await get(`/api/v1/vms/${hash}`)).reason?.text;
    await eventually(async () => /was not told/.test((await reasonOf(untold)) ?? ""));
    assert.match((await reasonOf(bound)) ?? "", /may not start elsewhere/);
    assert.deepEqual([two.running.has(untold), two.running.has(bound)], [false, false]);

    one.isSilent = false;
    await eventually(() => !one.running.has(told) && one.running.has(untold));
    await eventually(() => one.pushes.at(-1)?.elsewhere_after_seconds?.[untold] === 2);
    one.isSilent = true;
    await eventually(() => two.running.has(untold));
  });

  test("keeps its programs while another scheduler sees it", async () => {
    await using network = await startSchedulerNetwork();
    const one = await network.addNode("one");
    const two = await network.addNode("two");
    const vantage = await network.start({ isDryRun: true }, { folder: "elsewhere", signingKey: OTHER_KEY });
    const settings = { failover: { ...failover, vantagePoints: [vantage.running.apiUrl] } };
    const { get } = await network.start(settings);
    const program = await network.createProgram();
    await eventually(() => one.running.has(program) || two.running.has(program));
    const [home, other] = one.running.has(program) ? [one, two] : [two, one];
    await eventually(async () => checkVm(await get(`/api/v1/vms/${program}`)).status === "dispatched");
    home.silentTo = SIGNER;
    const reason = async () => checkVm(await get(`/api/v1/vms/${program}`)).reason?.code;
    await eventually(async () => (await reason()) === "alive_elsewhere_seen");
    assert.equal(other.running.has(program), false);
    home.isSilent = true;
    await eventually(() => other.running.has(program));
  });

  test("is not believed when too many fall silent at once", async () => {
    await using network = await startSchedulerNetwork();
    const nodes = [await network.addNode("one"), await network.addNode("two")];
    const rest = await network.addNode("rest", { memoryKilobytes: 3_000_000 });
    const { get } = await network.start({ failover });
    const programs: string[] = [];
    for (let index = 0; index < 6; index += 1) programs.push(await network.createProgram());
    await eventually(() => programs.every((hash) => [...nodes, rest].some((node) => node.running.has(hash))));
    await eventually(async () => {
      const statuses = await Promise.all(
        programs.map(async (hash) => checkVm(await get(`/api/v1/vms/${hash}`)).status),
      );
      return statuses.every((status) => status === "dispatched");
    });
    assert.ok(nodes.every(({ running }) => running.size > 0));
    for (const node of nodes) node.isSilent = true;
    const reasons = async (): Promise<readonly (string | undefined)[]> =>
      Promise.all(programs.map(async (hash) => checkVm(await get(`/api/v1/vms/${hash}`)).reason?.code));
    await eventually(async () => (await reasons()).includes("failover_limit"));
    const held = await Promise.all(
      programs.map(async (hash) => checkVm(await get(`/api/v1/vms/${hash}`)).allocated_node),
    );
    const lost = nodes.filter(({ hash }) => !held.includes(hash));
    assert.equal(lost.length, 1, "one of the two was given up");
  });
});
