import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { ExecutionError } from "../../src/executions/errors.ts";
import { readMetrics } from "../support/read-metrics.ts";
import { startTestControl } from "../support/test-control.ts";
import { hashOf, instanceMessage, programMessage } from "../support/vm-messages.ts";

const FOREVER = new AbortController().signal;
const KEPT = { source: "owner", isPersistent: true } as const;
const MIB = 1_048_576;

describe("GET /metrics", () => {
  let control: Awaited<ReturnType<typeof startTestControl>>;
  beforeEach(async () => {
    control = await startTestControl();
  });
  afterEach(() => control.close());

  const scrape = async () => {
    const answer = await control.inject({ method: "GET", url: "/metrics" });
    assert.equal(answer.statusCode, 200);
    assert.match(String(answer.headers["content-type"]), /^text\/plain; version=0\.0\.4/);
    return readMetrics(answer.body);
  };

  test("counts machines by what they are and where they are in their lives", async () => {
    await control.manager.ensureRunning(instanceMessage("a"), KEPT, FOREVER);
    await control.manager.ensureRunning(instanceMessage("b"), KEPT, FOREVER);
    await control.manager.stop(hashOf("b"), null, FOREVER);
    const before = await scrape();
    assert.equal(before.get('twentysix_executions{kind="instance",state="running"}'), 1);
    assert.equal(before.get('twentysix_executions{kind="instance",state="stopped"}'), 1);
    assert.equal(before.get('twentysix_executions{kind="program",state="running"}'), 0);
    assert.equal(before.get("twentysix_running_machines"), 1);
    await control.manager.stop(hashOf("a"), null, FOREVER);
    const after = await scrape();
    assert.equal(after.get('twentysix_executions{kind="instance",state="stopped"}'), 2);
    assert.equal(after.get("twentysix_running_machines"), 0);
  });

  test("says what machines have been given: a stopped one keeps its disk alone", async () => {
    const empty = await scrape();
    assert.equal(empty.get("twentysix_capacity_vcpus"), 16);
    assert.equal(empty.get("twentysix_reserved_vcpus"), 0);
    assert.equal(empty.get("twentysix_capacity_disk_bytes"), 100_000 * MIB);
    const available = empty.get("twentysix_available_disk_bytes") ?? 0;
    assert.equal(available, 50_000 * MIB);

    await control.manager.ensureRunning(instanceMessage("a"), KEPT, FOREVER);
    const full = await scrape();
    assert.equal(full.get("twentysix_reserved_vcpus"), 1);
    assert.equal(full.get('twentysix_reserved_memory_mib{kind="instance"}'), 512);
    assert.equal(full.get('twentysix_reserved_memory_mib{kind="program"}'), 0);
    assert.equal(full.get("twentysix_reserved_disk_bytes"), 1_024 * MIB);
    assert.equal(full.get("twentysix_available_disk_bytes"), available - 1_024 * MIB);

    await control.manager.stop(hashOf("a"), null, FOREVER);
    const stopped = await scrape();
    assert.equal(stopped.get("twentysix_reserved_vcpus"), 0);
    assert.equal(stopped.get('twentysix_reserved_memory_mib{kind="instance"}'), 0);
    assert.equal(stopped.get("twentysix_reserved_disk_bytes"), 1_024 * MIB);
  });

  test("counts starts that failed by their code, those that were refused among them", async () => {
    const failures = (code: string) => `twentysix_start_failures_total{code="${code}"}`;
    assert.equal((await scrape()).get(failures("IMAGE_INVALID")), 0);
    control.host.before = async (step) => {
      if (step === "prepare") throw new ExecutionError("IMAGE_INVALID", "it is none");
    };
    await assert.rejects(control.manager.ensureRunning(programMessage("p"), KEPT, FOREVER));
    const resources = { vcpus: 64, memory: 512, seconds: 30, published_ports: null };
    await assert.rejects(
      control.manager.ensureRunning(instanceMessage("large", { resources }), KEPT, FOREVER),
    );
    const after = await scrape();
    assert.equal(after.get(failures("IMAGE_INVALID")), 1);
    assert.equal(after.get(failures("NO_CAPACITY")), 1);
    assert.equal(after.get('twentysix_executions_ended_total{code="IMAGE_INVALID"}'), 1);
    assert.equal(after.get('twentysix_executions_ended_total{code="NO_CAPACITY"}'), undefined);
  });

  test("counts a machine that ended by itself once, whatever is done to its record after that", async () => {
    await control.manager.ensureRunning(instanceMessage("a"), KEPT, FOREVER);
    control.host.processes.get(hashOf("a"))?.end("failed");
    await control.time.advance(100);
    control.executions.store.change(hashOf("a"), { source: "scheduler" });
    assert.equal((await scrape()).get('twentysix_executions_ended_total{code="GUEST_ENDED"}'), 1);
  });

  test("has as many series whoever asks for whatever", async () => {
    const urls = ["a", "b", "c"].map((name) => `/control/machine/${hashOf(name)}/logs`);
    await control.inject({ method: "GET", url: urls[0] ?? "" });
    await scrape();
    const before = (await scrape()).size;
    for (const url of urls) await control.inject({ method: "GET", url });
    for (const name of ["d", "e"]) {
      await control.manager.ensureRunning(instanceMessage(name), KEPT, FOREVER);
    }
    const after = await scrape();
    assert.equal(after.size, before);
    const route = 'route="/control/machine/:ref/logs",method="GET",status="4xx"';
    assert.equal(after.get(`twentysix_http_request_duration_seconds_count{${route}}`), 4);
  });

  test("is there while the disk cannot be measured, and tells the log", async () => {
    control.disk.problem = new Error("the disk is away");
    assert.equal((await scrape()).get("twentysix_capacity_disk_bytes"), 0);
    assert.ok(control.executions.log.records.some(({ level }) => level === "warn"));
  });
});

describe("the health of a node", () => {
  let control: Awaited<ReturnType<typeof startTestControl>>;
  beforeEach(async () => {
    control = await startTestControl();
    control.executions.contact.note("core-node");
  });
  afterEach(() => control.close());

  const ask = async (url: string, host?: string) => {
    const { statusCode, headers, body } = await control.inject({
      method: "GET",
      url,
      headers: host === undefined ? {} : { host },
    });
    return { status: statusCode, retryAfter: headers["retry-after"], body: JSON.parse(body) };
  };

  test("is good where helper, core nodes and images are there", async () => {
    const { status, body } = await ask("/health/ready");
    assert.deepEqual([status, body.status], [200, "ready"]);
    assert.deepEqual((await ask("/health")).body, { status: "alive" });
  });

  test("says what is missing; the process is alive all the same", async () => {
    control.health.isHelperConnected = false;
    control.health.imagesProblem = "they are being built";
    await control.time.advance(60_000);
    const { status, retryAfter, body } = await ask("/health/ready");
    assert.deepEqual([status, retryAfter, body.status], [503, "5", "not ready"]);
    const failing = Object.keys(body.checks).filter((name) => body.checks[name].ok === false);
    assert.deepEqual(failing, ["helper", "coreNodes", "images"]);
    assert.equal(body.checks.images.message, "they are being built");
    assert.equal((await ask("/health")).status, 200);
  });

  test("is told by any name, and metrics too, while the node leaves", async () => {
    control.api.drain();
    const { status, body } = await ask("/health/ready", "127.0.0.1:4020");
    assert.deepEqual([status, body.checks.draining.ok], [503, false]);
    assert.equal((await ask("/health", "127.0.0.1:4020")).status, 200);
    const metrics = { method: "GET", url: "/metrics", headers: { host: "127.0.0.1:4020" } } as const;
    assert.equal((await control.inject(metrics)).statusCode, 200);
  });
});
