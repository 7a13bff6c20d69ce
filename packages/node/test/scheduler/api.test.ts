import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { eventually } from "../support/eventually.ts";
import { checkNode, checkPage, checkVm } from "./support/client-expectations.ts";
import {
  nodeHash,
  type SchedulerNetwork,
  startSchedulerNetwork,
  type TestScheduler,
} from "./support/test-network.ts";

describe("the API of a scheduler", { timeout: 120_000 }, () => {
  let network: SchedulerNetwork;
  let scheduler: TestScheduler;
  let instances: string[];
  let program: string;
  const startedMs = Date.now();
  before(async () => {
    network = await startSchedulerNetwork();
    await network.addNode("one");
    await network.addNode("two");
    scheduler = await network.start();
    instances = [];
    for (let index = 0; index < 4; index += 1) instances.push(await network.createInstance());
    program = await network.createProgram();
    await network.forget(instances[3] ?? "");
    await eventually(async () => {
      const page = (await scheduler.get("/api/v1/vms")) as { items: { status: string }[] };
      const statuses = page.items.map(({ status }) => status).toSorted();
      return statuses.join() === "dispatched,dispatched,dispatched,dispatched,unscheduled";
    });
  });
  after(() => network[Symbol.asyncDispose]());

  const vms = async (query: string): Promise<readonly string[]> =>
    checkPage(await scheduler.get(`/api/v1/vms?${query}`), checkVm).map(({ vm_hash }) => vm_hash);
  const nodes = async (query: string): Promise<readonly string[]> =>
    checkPage(await scheduler.get(`/api/v1/nodes?${query}`), checkNode).map(({ node_hash }) => node_hash);
  const statusOf = async (path: string): Promise<number> =>
    (await fetch(`${scheduler.running.apiUrl}${path}`)).status;

  test("answers health and figures", async () => {
    assert.deepEqual(await scheduler.get("/health"), { status: "ok" });
    const stats = (await scheduler.get("/api/v1/stats")) as Record<string, unknown>;
    assert.deepEqual(
      ["total_vms", "total_nodes", "healthy_nodes", "total_vcpus_allocated", "total_vcpus_capacity"].map(
        (key) => stats[key],
      ),
      [5, 2, 2, 4, 16],
    );
    assert.deepEqual(stats.vms_by_status, { dispatched: 4, unscheduled: 1 });
    assert.deepEqual(stats.nodes_by_status, { Healthy: 2 });
    const history = (await scheduler.get("/api/v1/stats/history?interval=5m")) as { items: unknown[] };
    assert.ok(Array.isArray(history.items));
    assert.equal(await statusOf("/api/v1/stats/history?interval=2m"), 400);
  });

  test("pages, and caps what is too large a page", async () => {
    const first = (await scheduler.get("/api/v1/vms?page_size=2")) as {
      pagination: unknown;
      items: unknown[];
    };
    assert.deepEqual(first.pagination, { page: 1, page_size: 2, total_items: 5, total_pages: 3 });
    const all = await Promise.all([1, 2, 3].map((page) => vms(`page_size=2&page=${page}`)));
    assert.deepEqual(all.flat(), [...instances, program]);
    assert.deepEqual(await vms("page=4&page_size=2"), [], "past the end");
    const none = (await scheduler.get("/api/v1/vms?vm_hash=zz")) as { pagination: unknown };
    assert.deepEqual(none.pagination, { page: 1, page_size: 50, total_items: 0, total_pages: 1 });
    const capped = (await scheduler.get("/api/v1/vms?page_size=5000")) as {
      pagination: { page_size: number };
    };
    assert.equal(capped.pagination.page_size, 200);
    for (const bad of [
      "page=0",
      "page_size=0",
      "page=x",
      "page_size=-1",
      "status=nonsense",
      "has_gpu=maybe",
    ]) {
      assert.equal(await statusOf(`/api/v1/vms?${bad}`), 400, bad);
    }
    assert.equal(await statusOf("/api/v1/vms?whatever=1"), 200);
    assert.deepEqual(await vms("order=desc"), [...instances, program].toReversed());
  });

  test("walks along a cursor", async () => {
    const found: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const path: string = `/api/v1/vms?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`;
      const page = (await scheduler.get(path)) as {
        items: { vm_hash: string }[];
        next_cursor: string | null;
      };
      found.push(...page.items.map(({ vm_hash }) => vm_hash));
      cursor = page.next_cursor;
    }
    assert.deepEqual(found, [...instances, program]);
  });

  test("filters machines", async () => {
    const [first = "", second = "", , gone = ""] = instances;
    assert.deepEqual(await vms(`vm_hash=${gone.slice(0, 12).toUpperCase()}`), [gone], "in every status");
    assert.deepEqual(await vms(`vm_hash=${first.slice(4, 20)}`), [], "no prefix");
    assert.deepEqual(await vms("vm_hash=zz"), []);
    assert.deepEqual(await vms(`vm_hash=${first}&vm_hash=${second}`), [first, second]);
    assert.deepEqual(await vms("status=unscheduled,missing"), [gone]);
    assert.deepEqual(await vms("scheduling_status=unscheduled"), [gone]);
    assert.deepEqual(await vms("status=removed"), []);
    assert.deepEqual(
      await vms(`sender=${network.owner.address.toUpperCase().replace("0X", "0x")}&max_memory_mb=128`),
      [program],
    );
    assert.deepEqual(await vms("owner=0xdead"), []);
    assert.deepEqual(await vms("min_memory_mb=2048&min_vcpus=1&max_vcpus=1"), instances);
    assert.deepEqual(await vms("min_vcpus=2"), []);
    assert.deepEqual(await vms("has_gpu=true"), []);
    assert.equal((await vms("requires_confidential=false")).length, 5);
    const perNode = await Promise.all(["one", "two"].map((label) => vms(`node=${nodeHash(label)}`)));
    assert.equal(perNode.flat().length, 4);
    assert.equal((await vms(`active_since=${Math.floor(startedMs / 1_000)}`)).length, 5);
    assert.equal((await vms(`active_since=${Math.floor(Date.now() / 1_000) + 60}`)).length, 0);
  });

  test("filters nodes by the ends of their hashes, never by the middle", async () => {
    const hash = nodeHash("one");
    assert.deepEqual(await nodes(`hash=${hash.slice(-10)}`), [hash]);
    assert.deepEqual(await nodes(`hash=${hash.slice(0, 8).toUpperCase()}`), [hash]);
    assert.deepEqual(await nodes(`hash=${hash.slice(10, 30)}`), []);
    assert.equal((await nodes("status=Healthy&staked=true&has_gpu=true&cpu_architecture=x86_64")).length, 2);
    assert.equal((await nodes("supports_ipv6=false")).length, 0);
    assert.equal((await nodes("confidential_computing_enabled=true")).length, 0);
    const node = checkNode(await scheduler.get(`/api/v1/nodes/${hash}`));
    const { gpus, vcpus_total, memory_total_mb, cpu_features } = node as unknown as Record<string, unknown>;
    assert.deepEqual([vcpus_total, memory_total_mb, cpu_features], [8, 61_035, ["sev"]]);
    const lengths = Object.values(gpus as Record<string, unknown[]>).map((list) => list.length);
    assert.deepEqual(lengths, [1, 1], "one of two devices is used");
  });

  test("answers what it does not know with 404, as JSON, to any origin", async () => {
    for (const path of [
      `vms/${"0".repeat(64)}`,
      "nodes/x",
      `vms/${"0".repeat(64)}/history`,
      "nodes/x/history",
    ]) {
      const response = await fetch(`${scheduler.running.apiUrl}/api/v1/${path}`);
      assert.equal(response.status, 404);
      assert.equal(response.headers.get("access-control-allow-origin"), "*");
      assert.equal(typeof ((await response.json()) as { error: unknown }).error, "string");
    }
    assert.equal(await statusOf("/nothing/here"), 404);
    const preflight = await fetch(`${scheduler.running.apiUrl}/api/v1/vms`, { method: "OPTIONS" });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
  });

  test("spares whoever has the answer already, and compresses", async () => {
    const url = `${scheduler.running.apiUrl}/api/v1/vms/${instances[3]}`;
    const etag = (await fetch(url)).headers.get("etag") ?? "";
    assert.match(etag, /^W\//);
    const again = await fetch(url, { headers: { "if-none-match": etag } });
    assert.equal(again.status, 304);
    const raw = await import("node:http").then(
      ({ get }) =>
        new Promise<Buffer>((resolve, reject) => {
          get(
            `${scheduler.running.apiUrl}/api/v1/vms`,
            { headers: { "accept-encoding": "gzip" } },
            (answer) => {
              assert.equal(answer.headers["content-encoding"], "gzip");
              const chunks: Buffer[] = [];
              answer.on("data", (chunk: Buffer) => chunks.push(chunk));
              answer.on("end", () => resolve(Buffer.concat(chunks)));
            },
          ).on("error", reject);
        }),
    );
    checkPage(JSON.parse(gunzipSync(raw).toString()), checkVm);
  });

  test("serves the older routes", async () => {
    const plan = (await scheduler.get("/api/v0/plan")) as {
      period: { start_timestamp: string; duration_seconds: number };
      plan: Record<string, { persistent_vms: string[]; instances: string[]; on_demand_vms: []; jobs: [] }>;
    };
    assert.equal(plan.period.duration_seconds, 3_600);
    assert.ok(Date.parse(plan.period.start_timestamp) >= startedMs);
    const lists = Object.values(plan.plan);
    assert.deepEqual(lists.flatMap((list) => list.instances).toSorted(), instances.slice(0, 3).toSorted());
    assert.deepEqual(
      lists.flatMap((list) => list.persistent_vms),
      [program],
    );
    const listed = (await scheduler.get("/api/v0/nodes")) as { nodes: Record<string, unknown>[] };
    assert.deepEqual(Object.keys(listed.nodes[0] ?? {}).toSorted(), [
      "ipv6",
      "node_id",
      "supports_ipv6",
      "url",
    ]);
    const allocation = (await scheduler.get(`/api/v0/allocation/${program}`)) as Record<string, unknown>;
    assert.deepEqual(Object.keys(allocation).toSorted(), ["node", "period", "vm_hash", "vm_ipv6", "vm_type"]);
    assert.equal(allocation.vm_ipv6, "2a01:4f8:171:1:3:deca:deca:dec1");
    assert.equal(await statusOf(`/api/v0/allocation/${instances[3]}`), 404);
    const simulated = await fetch(
      `${scheduler.running.apiUrl}/api/v0/simulate?vcpus=1&memory=2048&disk=20480`,
    );
    assert.equal(simulated.status, 200);
    assert.deepEqual(await simulated.json(), { schedulable: true, reasons: [] });
    const refused = await fetch(
      `${scheduler.running.apiUrl}/api/v0/simulate?vcpus=64&memory=2048&disk=20480`,
    );
    assert.equal(refused.status, 503);
    assert.deepEqual(await refused.json(), {
      schedulable: false,
      reasons: ["2 nodes: 2 too few free vCPUs"],
    });
  });

  test("tells of changes as they happen, and again to whoever missed them", async () => {
    const ws = (query: string): WebSocket =>
      new WebSocket(`${scheduler.running.apiUrl.replace("http", "ws")}/api/v1/ws${query}`);
    const heard = (socket: WebSocket): Record<string, unknown>[] => {
      const frames: Record<string, unknown>[] = [];
      socket.addEventListener("message", ({ data }) => frames.push(JSON.parse(String(data))));
      return frames;
    };
    const all = ws("");
    const others = ws("?owner=0xdead");
    const frames = heard(all);
    const none = heard(others);
    await Promise.all(
      [all, others].map((socket) => new Promise((resolve) => socket.addEventListener("open", resolve))),
    );
    const hash = await network.createInstance();
    await eventually(() => frames.some(({ type }) => type === "VmScheduled"));
    const frame = frames.find(({ type }) => type === "VmScheduled") ?? {};
    assert.deepEqual([frame.vmHash, frame.vm_hash, frame.nodeHash === frame.node_hash], [hash, hash, true]);
    const vm = checkVm(await scheduler.get(`/api/v1/vms/${hash}`));
    assert.equal(vm.allocated_node, frame.nodeHash, "readable before it is told");
    await eventually(() =>
      frames.some(({ type, status }) => type === "VmStatusChanged" && status === "dispatched"),
    );
    const late = ws(`?since=${Number(frame.seq) - 1}&vm=${hash}`);
    const replayed = heard(late);
    await eventually(() => replayed.some(({ status }) => status === "dispatched"));
    assert.deepEqual(replayed[0], frame);
    assert.ok(replayed.every(({ vmHash }) => vmHash === hash));
    assert.deepEqual(none, []);
    for (const socket of [all, others, late]) socket.close();
  });
});
