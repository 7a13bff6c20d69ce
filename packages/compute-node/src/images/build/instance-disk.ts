import { createHash } from "node:crypto";
import { join } from "node:path";
import { writeBootableDisk } from "./bootable-disk.ts";
import { type BuildOptions, runBuildTool } from "./build-tool.ts";
import { DEBIAN_RELEASE, type DebianRoot, installPackages } from "./debian.ts";
import { GUEST_FOLDER, readGuestFiles } from "./guest-files.ts";
import { inputsOf } from "./host-images.ts";
import { type BuiltImage, buildImage, type ImageRecipe, imageFile } from "./image-store.ts";

/** Installed size and some room: an instance's own disk is larger, and the file system grows into it. */
const DISK_MIB = 1_536;

const PACKAGES = [
  "linux-image-cloud-amd64",
  "initramfs-tools",
  "lz4",
  "systemd-sysv",
  "systemd-resolved",
  "systemd-timesyncd",
  "dbus",
  "udev",
  "openssh-server",
  "sudo",
  "cloud-init",
  "cloud-guest-utils",
  "fdisk",
  "qemu-guest-agent",
  "ca-certificates",
  "curl",
  "iproute2",
  "iputils-ping",
  "less",
  "nano",
  "netbase",
  "procps",
  "python3",
  "tzdata",
];

/** The file of an image of instances: compressed qcow2 without a backing file. */
export interface InstanceDisk {
  readonly qcow2Path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * Debian 12 for instances: cloud-init (NoCloud alone), ssh, the guest agent of QEMU, a console on the serial port; boots
 * from its own disk with a BIOS.
 *
 * @throws ImageError BUILD_FAILED, TOOL_MISSING
 */
export async function debianDisk(imagesFolder: string, options: BuildOptions): Promise<InstanceDisk> {
  const packages = await buildImage(imagesFolder, INSTALLED_RECIPE, options);
  const recipe = await diskRecipe(imagesFolder, packages);
  const image = await buildImage(imagesFolder, recipe, options);
  const { sha256 = "", sizeBytes = 0 } = image.files[DISK_FILE] ?? {};
  return { qcow2Path: imageFile(image, DISK_FILE), sha256, sizeBytes };
}

const DISK_FILE = "debian12.qcow2";
const ROOT_FILE = "root.tar";

/** What the kernel needs to reach its root, instead of drivers for all machines; lz4 is unpacked fastest. */
const INITRAMFS = [
  'printf "virtio_pci\\nvirtio_blk\\nvirtio_scsi\\nsd_mod\\next4\\n" >"$1/etc/initramfs-tools/modules"',
  'sed -i "s/^MODULES=.*/MODULES=list/; s/^#* *COMPRESS=.*/COMPRESS=lz4/" "$1/etc/initramfs-tools/initramfs.conf"',
  'chroot "$1" update-initramfs -u -k all',
];

const INSTALLED_ROOT: DebianRoot = { variant: "minbase", packages: PACKAGES, customize: INITRAMFS };

/** The packages alone: their installation takes minutes, and changes less often than what is set on top of it. */
const INSTALLED_RECIPE: ImageRecipe = {
  kind: "debian12-packages",
  inputs: ["1", DEBIAN_RELEASE, ...PACKAGES, ...INITRAMFS],
  files: [ROOT_FILE],
  build: (folder, options) => installPackages(INSTALLED_ROOT, join(folder, ROOT_FILE), folder, options),
};

async function diskRecipe(imagesFolder: string, installed: BuiltImage): Promise<ImageRecipe> {
  const scripts = inputsOf(await readGuestFiles("instance"));
  const inputs = ["1", String(DISK_MIB), JSON.stringify(installed.files), ...scripts];
  return {
    kind: "debian12",
    inputs,
    files: [DISK_FILE],
    async build(folder, options) {
      const raw = join(folder, "disk.raw");
      const disk = {
        archive: imageFile(installed, ROOT_FILE),
        finishScript: join(GUEST_FOLDER, "instance/finish.sh"),
        sizeMib: DISK_MIB,
        uuid: uuidOf(inputs),
      };
      await writeBootableDisk(imagesFolder, raw, disk, folder, options);
      await convertToQcow2(raw, join(folder, DISK_FILE), folder, options.signal);
    },
  };
}

/** As QEMU 5.1 and newer read it. */
export async function convertToQcow2(
  raw: string,
  target: string,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const form = ["-O", "qcow2", "-c", "-o", "compression_type=zstd"];
  await runBuildTool("qemu-img", ["convert", "-f", "raw", ...form, raw, target], { folder, signal });
}

/** Of the inputs, so that the same image always has the same. */
export function uuidOf(inputs: readonly string[]): string {
  const digest = createHash("sha256").update(JSON.stringify(inputs)).digest("hex");
  return digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-4$3-8$4-$5");
}
