// QEMU and the tools of virtual machines and their images: Debian's packages, installed where this process may.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** A file that tells that a package is there, and the package. */
const TOOLS = [
  ["/usr/bin/qemu-system-x86_64", "qemu-system-x86"],
  ["/usr/share/seabios/bios-microvm.bin", "seabios"],
  ["/usr/bin/qemu-img", "qemu-utils"],
  ["/usr/sbin/nft", "nftables"],
  ["/usr/bin/ip", "iproute2"],
  ["/usr/bin/slirp4netns", "slirp4netns"],
  ["/usr/bin/genisoimage", "genisoimage"],
  ["/usr/sbin/mke2fs", "e2fsprogs"],
  ["/usr/bin/mksquashfs", "squashfs-tools"],
  ["/usr/bin/mmdebstrap", "mmdebstrap"],
  ["/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"],
];

/** Of tests alone. */
const TEST_TOOLS = [
  ["/usr/bin/ssh", "openssh-client"],
  ["/usr/bin/socat", "socat"],
  ["/usr/bin/cpio", "cpio"],
  ["/usr/bin/python3", "python3"],
  ["/usr/bin/busybox", "busybox-static"],
];

/**
 * Installs what is missing; false when that is not possible here. Says what it does, or the command that somebody who
 * may can run.
 */
export function prepareVirtualMachines({ withTestTools = false } = {}) {
  const wanted = withTestTools ? [...TOOLS, ...TEST_TOOLS] : TOOLS;
  const missing = wanted.filter(([file]) => !existsSync(file)).map(([, name]) => name);
  if (missing.length === 0) return true;
  const packages = missing.join(" ");
  if (!existsSync("/usr/bin/apt-get") || process.getuid?.() !== 0) {
    process.stderr.write(
      `setup: no virtual machines here before somebody runs: sudo apt-get install --no-install-recommends ${packages}\n`,
    );
    return false;
  }
  process.stderr.write(`setup: installing the Debian packages ${packages}\n`);
  const isInstalled = apt("update") && apt("install", "--yes", "--no-install-recommends", ...missing);
  if (!isInstalled) process.stderr.write(`setup: apt-get could not install ${packages}\n`);
  return isInstalled;
}

function apt(...args) {
  const { status } = spawnSync("apt-get", ["--quiet", ...args], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  return status === 0;
}
