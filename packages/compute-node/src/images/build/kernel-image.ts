import { copyFile, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { ImageError } from "../errors.ts";
import { DEBIAN_RELEASE, extractPackages } from "./debian.ts";
import type { ImageRecipe } from "./image-store.ts";

/**
 * Drivers of guests in the order in which they are loaded: those that others need come first. In this kernel they are
 * modules; ext4, ACPI, the serial port, devtmpfs and PVH are built in.
 */
export const KERNEL_MODULES = [
  "virtio_ring",
  "virtio",
  "virtio_mmio",
  "virtio_pci_modern_dev",
  "virtio_pci_legacy_dev",
  "virtio_pci",
  "virtio_blk",
  "failover",
  "net_failover",
  "virtio_net",
  "virtio-rng",
  "virtio_console",
  "overlay",
  "squashfs",
  "virtio_balloon",
  "cdrom",
  "isofs",
  "button",
  "evdev",
  "vsock",
  "vmw_vsock_virtio_transport_common",
  "vmw_vsock_virtio_transport",
] as const;

const PACKAGES = ["linux-image-cloud-amd64", "busybox-static"];

/** Debian's cloud kernel, the drivers that guests load, and a static busybox. */
export const KERNEL_RECIPE: ImageRecipe = {
  kind: "kernel",
  inputs: ["1", DEBIAN_RELEASE, ...PACKAGES, ...KERNEL_MODULES],
  files: ["vmlinuz", "busybox", ...KERNEL_MODULES.map(moduleFile)],
  async build(folder, options) {
    const tree = join(folder, "tree");
    await extractPackages(PACKAGES, tree, folder, options);
    await rename(await onlyKernel(join(tree, "boot")), join(folder, "vmlinuz"));
    await copyFile(join(tree, "bin/busybox"), join(folder, "busybox"));
    const found = await findModules(join(tree, "lib/modules"));
    for (const name of KERNEL_MODULES) {
      const path = found.get(moduleFile(name));
      if (path === undefined) throw new ImageError("BUILD_FAILED", `Debian's kernel has no module ${name}`);
      await copyFile(path, join(folder, moduleFile(name)));
    }
  },
};

export function moduleFile(name: string): string {
  return `${name}.ko`;
}

async function onlyKernel(bootFolder: string): Promise<string> {
  const [name, ...others] = (await readdir(bootFolder)).filter((file) => file.startsWith("vmlinuz-"));
  if (name !== undefined && others.length === 0) return join(bootFolder, name);
  throw new ImageError("BUILD_FAILED", "Debian's kernel package does not hold exactly one kernel");
}

async function findModules(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return new Map(entries.map((entry) => [entry.name, join(entry.parentPath, entry.name)]));
}
