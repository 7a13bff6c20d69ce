import assert from "node:assert/strict";
import { test } from "node:test";
import { openFile } from "@twentysix/sdk/node";
import { DEFAULT_COMPUTE_SETTINGS } from "../../src/compute-settings.ts";
import { diagnosticContent, readDiagnosticProgram } from "../../src/control/checks/diagnostic-program.ts";
import { functionRuntime } from "../../src/images/build/function-runtimes.ts";
import { hostImages } from "../../src/images/build/host-images.ts";
import { type CoreNode, startCoreNode } from "../functions/support/core-node.ts";
import { buildOptions, IMAGES_FOLDER } from "../images/support.ts";
import { metricsOf } from "../support/read-metrics.ts";
import { startTestComputeNode } from "../support/test-compute-node.ts";

/** What the machine that the test runs on may not have. */
const OF_THE_INTERNET = ["dns", "ipv4", "internet"];

async function publish({ client, account }: CoreNode, signal: AbortSignal): Promise<string> {
  await hostImages(IMAGES_FOLDER, buildOptions(signal));
  const { squashfsPath } = await functionRuntime(IMAGES_FOLDER, "python", buildOptions(signal));
  const runtime = await client.storeFile({ account, file: await openFile(squashfsPath), sync: true });
  const program = await readDiagnosticProgram();
  const code = await client.storeFile({ account, file: new Blob([new Uint8Array(program)]), sync: true });
  const content = diagnosticContent({ code: code.itemHash, runtime: runtime.itemHash });
  const { itemHash } = await client.createProgram({ account, content, sync: true });
  return itemHash;
}

test("the diagnostic program shows that a node does what functions rely on", {
  timeout: 600_000,
}, async () => {
  const signal = AbortSignal.timeout(580_000);
  await using core = await startCoreNode();
  const fastapiHash = await publish(core, signal);
  await using compute = await startTestComputeNode([core.apiUrl], {
    checks: { ...DEFAULT_COMPUTE_SETTINGS.checks, fastapiHash },
  });
  const check = async (query = "") => {
    const answer = await fetch(`${compute.node.apiUrl}/status/check/fastapi${query}`, { signal });
    return { status: answer.status, body: (await answer.json()) as Record<string, boolean> };
  };
  const { status, body } = await check();
  const { dns, ipv4, internet, ...own } = body;
  assert.deepEqual(own, {
    index: true,
    lifespan: true,
    environ: true,
    messages: true,
    cache: true,
    persistent_storage: true,
    get_a_message: true,
    error_handling: true,
  });
  assert.equal(status, [dns, ipv4, internet].every((value) => value === true) ? 200 : 503);

  const older = await check("?retro-compatibility=true");
  assert.deepEqual(
    ["lifespan", "get_a_message", "cache"].map((name) => older.body[name]),
    [undefined, undefined, true],
    "and the machine that it has ended is there again",
  );
  for (const name of OF_THE_INTERNET) assert.equal(typeof older.body[name], "boolean");

  const raised = await fetch(`${compute.node.apiUrl}/vm/${fastapiHash}/raise`, { signal });
  assert.equal(raised.headers.get("aleph-traceback"), null);

  const metrics = await metricsOf(compute.node.apiUrl);
  const count = (series: string): number => metrics.get(series) ?? -1;
  const starts = (way: string): number => count(`twentysix_starts_total{kind="program",way="${way}"}`);
  assert.ok(starts("booted") >= 1);
  assert.equal(starts("booted") + starts("resumed"), count("twentysix_cold_start_duration_seconds_count"));
  assert.ok(count("twentysix_cold_start_duration_seconds_sum") > 0);
  const requests = (outcome: string): number =>
    count(`twentysix_function_request_duration_seconds_count{outcome="${outcome}"}`);
  assert.ok(requests("2xx") > requests("5xx") && requests("5xx") >= 2, "it raises, and it crashes");
  assert.equal(count("twentysix_message_feed_connected"), 1);
  assert.equal(count("twentysix_file_cache_files"), 2);
  assert.equal(count("twentysix_file_cache_misses_total"), 2);
  assert.ok(count('twentysix_contact_age_seconds{source="core-node"}') >= 0);
  assert.equal(count("twentysix_running_machines"), 1);
  assert.equal((await fetch(`${compute.node.apiUrl}/health/ready`)).status, 200);
});
