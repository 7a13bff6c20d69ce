import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const ENTRY = fileURLToPath(new URL("./internet-entry.ts", import.meta.url));
const isRoot = process.getuid?.() === 0;

describe("internet for machines on QEMU's own network", { skip: !isRoot }, () => {
  const folder = mkdtempSync(join(tmpdir(), "tun-"));
  after(() => rmSync(folder, { recursive: true }));

  /** What the helper finds once something else is mounted in its own view of the file system. */
  function problemWith(...mount: readonly string[]): unknown {
    const command = ["sh", "-ec", 'mount "$@"; exec "$0" "$ENTRY"', process.execPath, ...mount];
    const env = { ...process.env, ENTRY };
    const { status, stdout, stderr } = spawnSync("unshare", ["--mount", ...command], {
      env,
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
  }

  it("is there where only root may open the device of taps: the helper opens it to machines", () => {
    const device = join(folder, "tun");
    assert.equal(spawnSync("mknod", ["--mode=0600", device, "c", "10", "200"]).status, 0);
    assert.equal(problemWith("--bind", device, "/dev/net/tun"), null);
    assert.equal(statSync(device).mode & 0o777, 0o666);
  });

  it("is not there without such a device, which is said and ends nothing", () => {
    assert.match(
      String(problemWith("-t", "tmpfs", "none", "/dev/net")),
      /cannot be opened to machines: ENOENT/,
    );
  });
});
