import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CpioEntry, writeCpio } from "../../../src/images/build/cpio.ts";
import { kernelImage } from "../../../src/images/build/host-images.ts";
import { type BuiltImage, imageFile } from "../../../src/images/build/image-store.ts";
import { buildOptions, IMAGES_FOLDER } from "../../images/support.ts";

/** What a guest of tests boots. */
export interface GuestImage {
  readonly kernelPath: string;
  readonly initrdPath: string;
}

const CACHE = fileURLToPath(new URL("../../../../../.cache/qemu/", import.meta.url));
const INIT = fileURLToPath(new URL("./guest-init.sh", import.meta.url));
const BUILD_TIMEOUT_MS = 300_000;
/** In the order in which they need each other. */
const MODULES =
  "virtio_ring virtio virtio_mmio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk failover net_failover virtio_net virtio-rng virtio_console button evdev".split(
    " ",
  );

/**
 * Debian's kernel for virtual machines with an initial file system that obeys its serial port: up in about two seconds
 * under emulation. Built once and kept in `.cache`.
 */
export async function guestImage(): Promise<GuestImage> {
  const init = readFileSync(INIT);
  const folder = join(CACHE, `guest-${createHash("sha256").update(init).digest("hex").slice(0, 12)}`);
  if (!existsSync(folder)) await build(folder, init);
  return { kernelPath: join(folder, "kernel"), initrdPath: join(folder, "initrd") };
}

async function build(folder: string, init: Buffer): Promise<void> {
  const kernel = await kernelImage(IMAGES_FOLDER, buildOptions(AbortSignal.timeout(BUILD_TIMEOUT_MS)));
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(`${folder}.`);
  try {
    copyFileSync(imageFile(kernel, "vmlinuz"), join(work, "kernel"));
    await writeFile(join(work, "initrd"), writeCpio(await entriesOf(kernel, init)));
    renameSync(work, folder);
  } catch (error) {
    // Somebody else may have built it meanwhile.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function entriesOf(kernel: BuiltImage, init: Buffer): Promise<readonly CpioEntry[]> {
  const modules = MODULES.map(async (name): Promise<CpioEntry> => {
    const bytes = await readFile(imageFile(kernel, `${name}.ko`));
    return { kind: "file", path: `modules/${name}.ko`, bytes, isExecutable: false };
  });
  const busybox = await readFile(imageFile(kernel, "busybox"));
  return [
    { kind: "folder", path: "dev" },
    { kind: "folder", path: "proc" },
    { kind: "folder", path: "sys" },
    { kind: "file", path: "bin/busybox", bytes: busybox, isExecutable: true },
    { kind: "file", path: "init", bytes: init, isExecutable: true },
    {
      kind: "file",
      path: "modules/order",
      bytes: Buffer.from(MODULES.join("\n")),
      isExecutable: false,
    },
    ...(await Promise.all(modules)),
  ];
}
