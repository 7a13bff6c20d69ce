import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startCloudNode } from "../../src/cloud/start-cloud-node.ts";
import { defaultConfig } from "../../src/config/index.ts";
import { eventually } from "../support/eventually.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";

const KEY = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

describe("a scheduler that is deployed as the reference's", { timeout: 60_000 }, () => {
  let core: TestNode;
  const folder = mkdtempSync(join(tmpdir(), "reference-scheduler-"));
  before(async () => {
    core = await startTestNode();
  });
  after(async () => {
    await core.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  const start = (environment: Readonly<Record<string, string>>) =>
    startCloudNode(
      defaultConfig(folder, {
        ...{ dataDir: join(folder, "data"), network: "local", logLevel: "silent", schedulerPort: 1 },
        roles: ["scheduler"],
      }),
      { environment },
    );

  test("reads from the core node, writes to the folder and answers where its variables say", async () => {
    const state = join(folder, "state");
    const node = await start({
      ALEPH_SCHEDULER_ALEPH_API_SERVER: core.apiUrl,
      ALEPH_SCHEDULER_CRN_SIGNING_KEY: `0x${KEY}`,
      ALEPH_SCHEDULER_DATA_DIR: state,
      ALEPH_SCHEDULER_NO_DISPATCH: "true",
      ALEPH_SCHEDULER_REDIS_URL: "redis://nobody",
      SCHEDULER_API_HOST: "127.0.0.1",
      SCHEDULER_API_PORT: "0",
    });
    try {
      const lastPlanAt = async (): Promise<string> => {
        const answer = await fetch(`${node.scheduler?.apiUrl}/api/v1/stats`);
        return ((await answer.json()) as { readonly last_plan_at: string }).last_plan_at;
      };
      const before = await lastPlanAt();
      await eventually(async () => (await lastPlanAt()) !== before);
      assert.ok(existsSync(state));
    } finally {
      await node.close();
    }
  });

  test("is told which of them it cannot read", async () => {
    await assert.rejects(
      start({ ALEPH_SCHEDULER_ALEPH_API_SERVER: core.apiUrl, SCHEDULER_API_PORT: "many" }),
      { code: "SCHEDULER_BAD_SETTING", message: /SCHEDULER_API_PORT/ },
    );
    await assert.rejects(start({}), { code: "CORE_NODES_MISSING" });
  });
});
