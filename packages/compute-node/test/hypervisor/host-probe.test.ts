import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import { HostProbe } from "../../src/helper/host-probe.ts";
import { machineUsers } from "../../src/helper/machine-user.ts";
import { fileRulesOf } from "../../src/helper/open-file.ts";
import { probeBoot } from "../../src/helper/probe-boot.ts";
import type { HostImages } from "../../src/images/images.ts";
import { guestImage } from "./support/guest-image.ts";

describe("what a host can do", { timeout: 240_000 }, () => {
  let dir: string;
  let images: HostImages;
  const signal = AbortSignal.timeout(240_000);
  before(async () => {
    images = await guestImage();
    dir = mkdtempSync(join(tmpdir(), "probe-"));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  function options(qemuProgram = "qemu-system-x86_64") {
    const uid = process.getuid?.() ?? 0;
    const gid = process.getgid?.() ?? 0;
    return {
      images,
      qemuProgram,
      file: join(dir, "abilities.json"),
      runDir: join(dir, "run"),
      rules: fileRulesOf(dir, [dirname(images.kernelPath)], uid === 0 ? [0] : null, machineUsers(0)),
      node: { userId: uid, groupId: gid },
      isRoot: uid === 0,
      machineUsers: machineUsers(0),
      timers: createSystemTimers(),
      log: createMemoryLogger(),
    };
  }

  it("is found by booting a guest, and remembered", async () => {
    const found = await new HostProbe(options()).abilities(signal);
    if (found.accelerator === "tcg") {
      assert.match(found.missing.kvm ?? "", /\S/);
      assert.ok((found.tscKhz ?? 0) > 100_000);
    }
    const { file } = options();
    const kept = JSON.parse(readFileSync(file, "utf8")) as { abilities: object };
    writeFileSync(file, JSON.stringify({ ...kept, abilities: { ...found, slowness: 77 } }));
    assert.deepEqual(await new HostProbe(options()).abilities(signal), { ...found, slowness: 77 });
    writeFileSync(file, JSON.stringify({ ...kept, key: "of another kernel" }));
    assert.equal((await new HostProbe(options()).abilities(signal)).slowness, found.slowness);
    assert.ok(!existsSync(join(dir, "run")));
  });

  it("is not found by a guest that hangs, whose process is ended", async () => {
    const boot = await probeBoot({ ...options(), accelerator: "tcg" }, { line: /never said/ }, 1_000, signal);
    assert.equal(boot.match, null);
    assert.match(boot.problem, /did not boot within 1 s/);
    assert.deepEqual(processesOf(join(dir, "run")), []);
  });

  it("is not found by a program that ends, whose words are told", async () => {
    const boot = await probeBoot(
      { ...options("ls"), accelerator: "kvm" },
      { line: /never said/ },
      10_000,
      signal,
    );
    assert.match(boot.problem, /QEMU ended: ls: /);
  });

  it("is said to be unknown without QEMU, and without images", async () => {
    const absent = await new HostProbe(options("no-such-qemu")).abilities(signal);
    assert.match(absent.missing.qemu ?? "", /not installed/);
    const empty = join(dir, "empty");
    mkdirSync(empty);
    const bare = {
      ...options(),
      images: { kernelPath: join(empty, "kernel"), initrdPath: join(empty, "initrd") },
    };
    assert.match((await new HostProbe(bare).abilities(signal)).missing.kvm ?? "", /twentysix image build/);
  });
});

function processesOf(cwd: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === cwd;
      } catch {
        return false;
      }
    });
}
