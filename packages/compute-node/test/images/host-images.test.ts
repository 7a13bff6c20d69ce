import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { writeCpio } from "../../src/images/build/cpio.ts";
import { hostImages } from "../../src/images/build/host-images.ts";
import { tinyDisk, tinyGuest } from "../../src/images/build/tiny-guest.ts";
import { writeSeedImage } from "../../src/instances/cloud-init/seed-image.ts";
import { runTool } from "../../src/processes/run-tool.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { bootGuest } from "./boot-guest.ts";
import { buildOptions, IMAGES_FOLDER } from "./support.ts";

describe("kernel and initial file system", () => {
  for (const machine of ["microvm", "q35"] as const) {
    it(`boot the tiny guest on ${machine}`, { timeout: 300_000 }, async (t) => {
      const images = await hostImages(IMAGES_FOLDER, buildOptions(t.signal));
      const { squashfsPath } = await tinyGuest(IMAGES_FOLDER, buildOptions(t.signal));
      const drives = [{ path: squashfsPath, isReadOnly: true }];
      await using guest = await bootGuest(images, { machine, drives });
      await guest.said("tiny guest ready");
    });
  }

  it("say why a machine without a runtime ends", { timeout: 300_000 }, async (t) => {
    const images = await hostImages(IMAGES_FOLDER, buildOptions(t.signal));
    await using guest = await bootGuest(images, { drives: [{ path: images.kernelPath, isReadOnly: true }] });
    await guest.exited;
    assert.match(await guest.serialLog(), /the runtime on \/dev\/vda is no squashfs image/);
  });

  it("are not built again", { timeout: 300_000 }, async (t) => {
    const said: string[] = [];
    await hostImages(IMAGES_FOLDER, buildOptions(t.signal));
    await hostImages(IMAGES_FOLDER, { ...buildOptions(t.signal), say: (text) => said.push(text) });
    assert.deepEqual(said, []);
  });
});

describe("the disk of the tiny guest", () => {
  it("boots by itself, keeps what is written, and takes its name from the seed", {
    timeout: 600_000,
  }, async (t) => {
    const { signal } = t;
    const { qcow2Path } = await tinyDisk(IMAGES_FOLDER, buildOptions(signal));
    await using folder = await tempFolder();
    const [disk, seed] = [join(folder.path, "disk.qcow2"), join(folder.path, "seed.iso")];
    await runTool("qemu-img", ["create", "-q", "-f", "qcow2", "-b", qcow2Path, "-F", "qcow2", disk], {
      signal,
    });
    const metaData = `{"local-hostname": "named"}`;
    const networkConfig = `{"addresses": ["10.0.2.15/24"], "routes": []}`;
    await writeSeedImage(seed, { userData: "", metaData, networkConfig }, signal);
    const drives = [
      { path: disk, isReadOnly: false, format: "qcow2" } as const,
      { path: seed, isReadOnly: true },
    ];
    for (const boot of [1, 2]) {
      await using guest = await bootGuest(null, { machine: "q35", drives });
      assert.match(await guest.said("tiny guest ready"), RegExp(`named, boot ${boot} of this disk`));
    }
  });
});

describe("cpio archives", () => {
  it("hold what they were made of, in the same bytes whatever the order", async (t) => {
    const file = { kind: "file", bytes: Buffer.from("#!/bin/sh\n"), isExecutable: true } as const;
    const entries = [
      { ...file, path: "sbin/init" },
      { ...file, path: "a/b/c", isExecutable: false },
      { kind: "link", path: "init", target: "sbin/init" },
    ] as const;
    const archive = writeCpio(entries);
    assert.deepEqual(writeCpio(entries.toReversed()), archive);
    const listing = await runTool("cpio", ["-tv", "--quiet"], { input: archive, signal: t.signal });
    const lines = listing.trim().split("\n");
    const seen = lines.map((line) => [line.slice(0, 10), line.split(/\s+/).slice(8).join(" ")]);
    assert.deepEqual(seen, [
      ["drwxr-xr-x", "a"],
      ["drwxr-xr-x", "a/b"],
      ["-rw-r--r--", "a/b/c"],
      ["lrwxrwxrwx", "init -> sbin/init"],
      ["drwxr-xr-x", "sbin"],
      ["-rwxr-xr-x", "sbin/init"],
    ]);
  });

  it("are what the kernel image is packed into", { timeout: 300_000 }, async (t) => {
    const { initrdPath } = await hostImages(IMAGES_FOLDER, buildOptions(t.signal));
    const input = await readFile(initrdPath);
    const names = (await runTool("cpio", ["-t", "--quiet"], { input, signal: t.signal })).split("\n");
    for (const name of ["init", "bin/busybox", "modules/squashfs.ko", "agent/__main__.py"]) {
      assert.ok(names.includes(name), name);
    }
  });
});
