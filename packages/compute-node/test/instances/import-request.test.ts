import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ImportRequest } from "../../src/control/instance-services.ts";
import { checkFiles, importSource } from "../../src/instances/migration/import-request.ts";

const HASH = "ab".repeat(32);
const file = (name: string, change: object = {}) => ({
  name,
  sizeBytes: 10,
  sha256: "0".repeat(64),
  downloadPath: `/control/machine/${HASH}/migration/disk/${name}`,
  ...change,
});
const request = (change: Partial<ImportRequest>): ImportRequest => ({
  vmHash: HASH,
  sourceHost: "93.184.215.14",
  sourcePort: 443,
  exportToken: "t",
  diskFiles: [file("rootfs.qcow2")],
  ...change,
});

describe("what a migration may fetch", () => {
  const refused: readonly (readonly [string, readonly ReturnType<typeof file>[]])[] = [
    ["a name that leads out of the folder", [file("rootfs.qcow2"), file("../../etc/cron.d/evil")]],
    ["a hidden file", [file("rootfs.qcow2"), file(".ssh")]],
    ["a name twice", [file("rootfs.qcow2"), file("rootfs.qcow2")]],
    ["another path than its own", [file("rootfs.qcow2", { downloadPath: "/about/config" })]],
    ["no size", [file("rootfs.qcow2", { sizeBytes: -1 })]],
    ["no hash", [file("rootfs.qcow2", { sha256: "x" })]],
    ["no root file system", [file("data.qcow2")]],
    ["nothing", []],
  ];
  for (const [what, diskFiles] of refused) {
    test(`refused: ${what}`, () => {
      assert.throws(() => checkFiles(request({ diskFiles })), { code: "REQUEST_INVALID" });
    });
  }

  test("disks by their plain names", () => {
    checkFiles(request({ diskFiles: [file("rootfs.qcow2"), file("data-1.qcow2")] }));
  });
});

describe("where a migration may fetch from", () => {
  const hosts = [
    "localhost",
    "127.0.0.1",
    "127.1.2.3",
    "10.0.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "0.0.0.0",
    "224.0.0.1",
  ];
  for (const sourceHost of [
    ...hosts,
    "::1",
    "[fe80::1]",
    "fc00::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "203.0.113.5",
    "",
    "a b",
    "x/../y",
  ]) {
    test(`not from '${sourceHost}'`, async () => {
      await assert.rejects(importSource(request({ sourceHost }), false), { code: "REQUEST_INVALID" });
    });
  }

  test("not from a name that leads to this machine", async () => {
    await assert.rejects(importSource(request({ sourceHost: "localhost.localdomain" }), false), {
      code: "REQUEST_INVALID",
    });
  });

  test("from public addresses, by TLS on its port alone", async () => {
    assert.deepEqual(await importSource(request({}), false), {
      url: "https://93.184.215.14:443",
      addresses: [{ address: "93.184.215.14", family: 4 }],
    });
    const ipv6 = request({ sourceHost: "2606:4700::1111", sourcePort: 4020 });
    assert.equal((await importSource(ipv6, false)).url, "http://[2606:4700::1111]:4020");
  });

  test("from this machine in a network whose nodes share one", async () => {
    const local = request({ sourceHost: "127.0.0.1", sourcePort: 4021 });
    assert.equal((await importSource(local, true)).url, "http://127.0.0.1:4021");
  });
});
