import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { runTool } from "../../src/processes/run-tool.ts";
import { createTestHost } from "./support/test-host.ts";

const isRoot = process.getuid?.() === 0;
const userOf = (pid: number): number =>
  Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

it("machines of the same number of two nodes of one host are users of their own, before and after a helper dies", {
  skip: !isRoot,
  timeout: 240_000,
}, async () => {
  const signal = AbortSignal.timeout(200_000);
  await using one = await createTestHost();
  await using other = await createTestHost();
  const path = join(one.dir, "drive");
  writeFileSync(path, "of one node", { mode: 0o600 });
  const drives = [{ path, format: "raw", isReadOnly: true, media: "disk" }] as const;
  const first = await one.hypervisor.start(one.spec(5, { drives }), signal);
  const second = await other.hypervisor.start(other.spec(5), signal);
  const [user, otherUser] = [userOf(first.pid), userOf(second.pid)];
  assert.ok(user >= 200_000 && otherUser >= 200_000);
  assert.notEqual(user, otherUser);
  assert.equal(statSync(join(first.runDir, "work")).uid, user);
  const asOther = ["--reuid", String(otherUser), "--regid", String(otherUser), "--clear-groups"];
  const reach = async (...command: string[]): Promise<void> => {
    const tried = runTool("setpriv", [...asOther, ...command], { signal });
    await assert.rejects(tried, /Operation not permitted|Permission denied/);
  };
  await reach("kill", "-0", String(first.pid));
  await reach("cat", `/proc/${first.pid}/environ`);
  await reach("ls", join(first.runDir, "work"));

  process.kill(await one.helperPid(), "SIGKILL");
  one.disconnect();
  await one.reconnect();
  const next = await one.hypervisor.start(one.spec(6), signal);
  assert.equal(userOf(next.pid), user + 1, "its helper gives users of the same range again");
});
