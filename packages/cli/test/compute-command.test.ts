import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createSystemTimers } from "@twentysix/platform";
import { startCli } from "./cli-process.ts";

const timers = createSystemTimers();
const script = "../../bin/twentysix.mjs";

describe("twentysix compute", { timeout: 120_000 }, () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "compute-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function run(
    ...args: string[]
  ): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
    await using cli = startCli(["compute", ...args], { script });
    const { exitCode } = await cli.ended;
    return { exitCode, stdout: cli.stdout, stderr: cli.stderr };
  }

  it("inspects a host without any machine, and leaves it as it was", async () => {
    const dir = join(folder, "none");
    const { exitCode, stdout } = await run("inspect", "--dir", dir);
    assert.equal(exitCode, 0);
    assert.deepEqual(JSON.parse(stdout), { entries: [], orphans: [] });
  });

  it("has one helper for a folder, which answers and ends when told", async () => {
    const dir = join(folder, "node");
    await using helper = startCli(["compute", "helper", "--dir", dir], { script });
    const socket = join(dir, "helper.sock");
    while (!existsSync(socket)) await timers.sleep(50);
    const second = await run("helper", "--dir", dir);
    assert.match(second.stderr, /another host helper works in/);
    assert.equal(second.exitCode, 1);
    const inspected = await run("inspect", "--dir", dir);
    assert.deepEqual(JSON.parse(inspected.stdout).orphans, []);
    helper.process.kill("SIGTERM");
    assert.equal((await helper.ended).exitCode, 0);
  });

  it("says what is wrong with its arguments", async () => {
    assert.equal((await run("helper")).exitCode, 2);
    assert.equal((await run("inspect", "--dir", folder, "--ipv6-policy", "none")).exitCode, 2);
  });
});
