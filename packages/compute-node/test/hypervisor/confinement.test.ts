import assert from "node:assert/strict";
import { linkSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { claimMachineUsers, USERS_FOLDER } from "../../src/helper/claim-machine-users.ts";
import { HypervisorError } from "../../src/hypervisor/errors.ts";
import type { DriveSpec, VmSpec } from "../../src/hypervisor/vm-spec.ts";
import { runTool } from "../../src/processes/run-tool.ts";
import { Guest } from "./support/guest.ts";
import { createTestHost, type TestHost, TIME } from "./support/test-host.ts";

const isRoot = process.getuid?.() === 0;

describe("the process of a machine", { timeout: 240_000 }, () => {
  let host: TestHost;
  const signal = AbortSignal.timeout(4 * TIME);
  before(async () => {
    host = await createTestHost();
  });
  after(async () => {
    await host[Symbol.asyncDispose]();
  });

  function statusOf(pid: number): Record<string, string> {
    const lines = readFileSync(`/proc/${pid}/status`, "utf8").trim().split("\n");
    return Object.fromEntries(lines.map((line) => line.split(/:\s*/, 2)));
  }

  it("may call few functions of the kernel, has no rights, and is in a session of its own", async () => {
    const vm = await host.hypervisor.start(host.spec(7), signal);
    const status = statusOf(vm.pid);
    assert.equal(status.Seccomp, "2");
    assert.equal(status.NoNewPrivs, "1");
    assert.equal(readFileSync(`/proc/${vm.pid}/stat`, "utf8").split(") ")[1]?.split(" ")[3], String(vm.pid));
    if (isRoot) {
      const user = claimMachineUsers(host.dir, USERS_FOLDER).of(7);
      assert.equal(status.Uid, Array(4).fill(user).join("\t"));
      assert.equal(status.Gid, Array(4).fill(user).join("\t"));
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
        assert.match(status[set] ?? "", /^0+$/);
    }
    await vm.kill();
  });

  it("reaches neither the folder of the node nor another's drive by its path", {
    skip: !isRoot,
  }, async () => {
    const path = join(host.dir, "drive");
    writeFileSync(path, "of the node", { mode: 0o600 });
    const drive: DriveSpec = { path, format: "raw", isReadOnly: true, media: "disk" };
    const vm = await host.hypervisor.start(host.spec(8, { drives: [drive] }), signal);
    const user = claimMachineUsers(host.dir, USERS_FOLDER).of(8);
    for (const file of [path, join(host.dir, "helper.sock"), join(vm.runDir, "serial.log")]) {
      const look = ["--reuid", String(user), "--regid", String(user), "--clear-groups", "cat", file];
      await assert.rejects(runTool("setpriv", look, { signal }), /Permission denied/);
    }
    // Its sockets are made: it has no folder to put anything in any more, but `work`.
    assert.notEqual(statSync(vm.runDir).uid, user);
    using guest = await Guest.connect(vm);
    await guest.booted();
    await vm.kill();
  });
});

describe("a description that is wrong", { timeout: 120_000 }, () => {
  let host: TestHost;
  const signal = AbortSignal.timeout(2 * TIME);
  before(async () => {
    host = await createTestHost();
  });
  after(async () => {
    await host[Symbol.asyncDispose]();
  });

  async function refuses(changes: Partial<VmSpec>, reason: RegExp): Promise<void> {
    await assert.rejects(host.hypervisor.start(host.spec(9, changes), signal), (error) => {
      assert.ok(error instanceof HypervisorError, String(error));
      assert.equal(error.code, "SPEC_INVALID");
      assert.match(error.message, reason);
      return true;
    });
  }

  const drive = (path: string, changes?: Partial<DriveSpec>): Partial<VmSpec> => ({
    drives: [{ path, format: "raw", isReadOnly: true, media: "disk", ...changes }],
  });

  it("names files that are not the node's", async () => {
    await refuses(drive("/etc/passwd"), /outside of the node's folder/);
    await refuses(drive(join(host.dir, "..", "..", "etc", "passwd")), /outside|no such file/i);
    const link = join(host.dir, "link");
    symlinkSync("/etc/passwd", link);
    await refuses(drive(link), /outside of the node's folder/);
    await refuses(drive(host.dir), /outside|no plain file/);
    await refuses(drive(join(host.dir, "none")), /no such file/);
    await refuses(drive("relative"), /\/drives\/0/);
    await refuses(drive(join(host.dir, "a,readonly=off")), /\/drives\/0/);
  });

  it("names a file of another user that was linked into the folder", { skip: !isRoot }, async () => {
    const other = join(tmpdir(), `other-${process.pid}`);
    writeFileSync(other, "");
    await runTool("chown", ["1:1", other], { signal });
    const path = join(host.dir, "hard-link");
    linkSync(other, path);
    await runTool("rm", [other], { signal });
    await refuses(drive(path), /belongs to another user/);
  });

  it("has images that bring in other files", async () => {
    const secret = join(host.dir, "secret");
    writeFileSync(secret, "key of the node".repeat(100));
    const overlay = join(host.dir, "overlay.qcow2");
    const create = ["create", "-q", "-f", "qcow2"];
    await runTool("qemu-img", [...create, "-b", secret, "-F", "raw", overlay], { signal });
    await refuses(drive(overlay, { format: "qcow2" }), /names an image below it/);
    const apart = join(host.dir, "apart.qcow2");
    await runTool("qemu-img", [...create, "-o", `data_file=${secret}`, apart, "1M"], { signal });
    await refuses(drive(apart, { format: "qcow2" }), /keeps its bytes in another file/);
    await refuses(drive(secret, { format: "qcow2" }), /no qcow2 image/);
  });

  it("is of another shape", async () => {
    await refuses({ vmHash: "../../../etc" }, /\/vmHash/);
    await refuses({ vcpus: 0 }, /\/vcpus/);
    await refuses({ memoryMib: 1e9 }, /\/memoryMib/);
    await refuses({ vmNumber: 4_096 }, /\/vmNumber/);
    await refuses({ kernel: null }, /boots a kernel only/);
    await refuses({ channels: ["a,path=/etc/x"] }, /\/channels/);
    await refuses({ network: { kind: "tap", tapName: "a b", macAddress: "52:54:00:00:00:01" } }, /\/network/);
    const { kernel } = host.spec(9);
    assert.ok(kernel);
    await refuses({ kernel: { ...kernel, arguments: ["a b"] } }, /\/kernel/);
    await refuses({ extra: true } as Partial<VmSpec>, /\/extra/);
  });

  it("leaves nothing behind", async () => {
    assert.deepEqual(await host.hypervisor.list(signal), []);
  });
});
