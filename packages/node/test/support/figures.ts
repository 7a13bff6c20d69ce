import assert from "node:assert/strict";
import { eventually } from "./eventually.ts";

/** One figure of a node, without labels. */
export async function figure(apiUrl: string, name: string): Promise<number> {
  const text = await (await fetch(`${apiUrl}/metrics`)).text();
  const found = new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1];
  assert.ok(found !== undefined, `there is no figure ${name}`);
  return Number(found);
}

/** Nothing failed inside the node, nothing is on its way for ever, and it answers. */
export async function assertWell(apiUrl: string): Promise<void> {
  await eventually(async () => (await figure(apiUrl, "twentysix_pipeline_in_flight_messages")) === 0);
  await eventually(async () => (await figure(apiUrl, "twentysix_pipeline_writer_queue_messages")) === 0);
  assert.equal(await figure(apiUrl, "twentysix_internal_errors_total"), 0);
  assert.equal(await figure(apiUrl, "twentysix_pipeline_defects_total"), 0);
  assert.equal((await fetch(`${apiUrl}/health/ready`)).status, 200);
}
