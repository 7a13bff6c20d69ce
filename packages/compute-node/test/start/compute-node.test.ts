import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { metricsOf } from "../support/read-metrics.ts";
import { startTestComputeNode } from "../support/test-compute-node.ts";

/** Nobody listens there: a compute node starts and serves what it can while its network is away. */
const NOWHERE = ["http://127.0.0.1:9"];

test("a compute node starts without its network, says what it can do, and starts again", {
  timeout: 240_000,
}, async () => {
  await using compute = await startTestComputeNode(NOWHERE);
  const get = async (path: string) => {
    const answer = await fetch(`${compute.node.apiUrl}${path}`);
    return { status: answer.status, server: answer.headers.get("server"), body: await answer.json() };
  };
  const config = await get("/status/config");
  assert.equal(config.status, 200);
  assert.match(config.server ?? "", /^aleph-vm\/\d+\.\d+\.\d+$/);
  assert.equal(config.body.DOMAIN_NAME, "localhost");
  assert.ok(["kvm", "tcg"].includes(config.body.twentysix.accelerator));
  assert.equal(typeof config.body.computing.tee_unavailable_reason, "string");
  const usage = await get("/about/usage/system");
  assert.ok(usage.body.head_room.instance_memory_mib > 0);
  assert.deepEqual((await get("/v2/about/executions/list")).body, {});
  const unknown = await get(`/vm/${"ab".repeat(32)}`);
  assert.ok(unknown.status >= 500, `nobody can say what it is: ${unknown.status}`);

  const metrics = await metricsOf(compute.node.apiUrl);
  const { accelerator } = config.body.twentysix;
  const info = `twentysix_compute_node_info{version="0.1.0",accelerator="${accelerator}"}`;
  assert.equal(metrics.get(info), 1);
  assert.equal(metrics.get("twentysix_helper_connected"), 1);
  assert.equal(metrics.get("twentysix_message_feed_connected"), 0);
  assert.equal(metrics.get('twentysix_contact_age_seconds{source="core-node"}'), undefined);
  assert.ok((metrics.get("twentysix_capacity_disk_bytes") ?? 0) > 0);
  assert.equal(metrics.get('twentysix_function_request_duration_seconds_count{outcome="5xx"}'), 1);
  const written = await readFile(new URL("../../../../docs/compute.md", import.meta.url), "utf8");
  const names = new Set(
    [...metrics.keys()].map((series) => series.replace(/(_bucket|_sum|_count)?(\{.*)?$/, "")),
  );
  const unwritten = [...names].filter((name) => !written.includes(`\`${name}\``));
  assert.deepEqual(unwritten, [], "every metric stands in the documents");
  assert.deepEqual((await get("/health")).body, { status: "alive" });
  const ready = await get("/health/ready");
  assert.deepEqual([ready.status, ready.body.checks.coreNodes.ok], [503, false]);
  assert.equal(ready.body.checks.helper.ok, true);

  const folder = join(compute.dataDir, "compute");
  assert.equal((await stat(join(folder, "login_token"))).mode & 0o777, 0o400);
  const secret = await readFile(join(folder, "link-secret"));
  const token = await readFile(join(folder, "login_token"), "utf8");
  const login = await fetch(`${compute.node.apiUrl}/about/login?token=${token}`, { redirect: "manual" });
  assert.equal(login.status, 302);

  const { http, tls } = config.body.twentysix.domain_ports;
  const about = await fetch(`http://127.0.0.1:${http}/status/config`);
  assert.equal((await about.json()).DOMAIN_NAME, "localhost", "names of no machine reach the node");
  assert.ok(tls > 0);

  await compute.restart();
  assert.equal((await get("/status/config")).status, 200);
  assert.deepEqual(await readFile(join(folder, "link-secret")), secret);
  assert.notEqual(await readFile(join(folder, "login_token"), "utf8"), token);
});
