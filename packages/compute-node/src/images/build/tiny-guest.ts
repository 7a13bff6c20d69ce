import { copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runTool } from "../../processes/run-tool.ts";
import { writeBootableDisk } from "./bootable-disk.ts";
import { type BuildOptions, runBuildTool } from "./build-tool.ts";
import { GUEST_FOLDER, readGuestFiles } from "./guest-files.ts";
import { hostImages, inputsOf, kernelImage } from "./host-images.ts";
import { type BuiltImage, buildImage, type ImageRecipe, imageFile } from "./image-store.ts";
import { convertToQcow2, uuidOf } from "./instance-disk.ts";
import { packSquashfs } from "./squashfs.ts";

/** A guest for tests that is ready about three seconds after its start under emulation. */
export interface TinyGuest {
  /** Drive `vda` beside the kernel and initial file system of `hostImages`. */
  readonly squashfsPath: string;
}

const ROOT_FOLDERS = [
  "bin",
  "dev",
  "etc/acpi/PWRF",
  "mnt",
  "proc",
  "run",
  "sbin",
  "sys",
  "tmp",
  "root",
  "var",
  "www/cgi-bin",
];

/**
 * A root of busybox alone: HTTP on port 8080 (`/boot-id` tells one boot from another), and a serial port that says
 * `tiny guest ready`, answers `echo: LINE`, and runs what follows `run `.
 */
export async function tinyGuest(imagesFolder: string, options: BuildOptions): Promise<TinyGuest> {
  const kernel = await kernelImage(imagesFolder, options);
  const scripts = await readGuestFiles("tiny");
  const image = await buildImage(
    imagesFolder,
    {
      kind: "tiny",
      inputs: ["1", JSON.stringify(kernel.files), ...inputsOf(scripts)],
      files: ["tiny.squashfs"],
      async build(folder, { signal }) {
        const root = join(folder, "root");
        await writeTinyRoot(root, kernel, signal);
        await packSquashfs(root, join(folder, "tiny.squashfs"), { folder, signal });
      },
    },
    options,
  );
  return { squashfsPath: imageFile(image, "tiny.squashfs") };
}

/** The tree of the guest: also what its disk is made of. */
export async function writeTinyRoot(root: string, kernel: BuiltImage, signal: AbortSignal): Promise<void> {
  for (const folder of ROOT_FOLDERS) await mkdir(join(root, folder), { recursive: true });
  const busybox = join(root, "bin/busybox");
  await copyFile(imageFile(kernel, "busybox"), busybox);
  await runTool("chmod", ["755", busybox], { signal });
  for (const name of (await runTool(busybox, ["--list"], { signal })).split("\n")) {
    if (name !== "" && name !== "busybox") await symlink("busybox", join(root, "bin", name));
  }
  for (const { path, bytes } of await readGuestFiles("tiny")) {
    await writeFile(join(root, TINY_PLACES[path] ?? join("etc", path)), bytes, { mode: 0o755 });
  }
}

/** A disk of 64 MiB that a BIOS boots into the same guest: its root is writable and stays. */
export async function tinyDisk(
  imagesFolder: string,
  options: BuildOptions,
): Promise<{ readonly qcow2Path: string }> {
  const kernel = await kernelImage(imagesFolder, options);
  const { kernelPath, initrdPath } = await hostImages(imagesFolder, options);
  const initrd = await readFile(initrdPath);
  const inputs = [
    "1",
    JSON.stringify(kernel.files),
    initrd.toString("base64"),
    ...inputsOf(await readGuestFiles("tiny")),
  ];
  const recipe: ImageRecipe = {
    kind: "tiny-disk",
    inputs,
    files: ["tiny.qcow2"],
    async build(folder, options) {
      const root = join(folder, "root");
      await writeTinyRoot(root, kernel, options.signal);
      await mkdir(join(root, "boot/grub"), { recursive: true });
      await copyFile(kernelPath, join(root, "boot/vmlinuz"));
      await copyFile(initrdPath, join(root, "boot/initrd"));
      await copyFile(join(GUEST_FOLDER, "tiny/grub.cfg"), join(root, "boot/grub/grub.cfg"));
      const archive = join(folder, "root.tar");
      const owners = ["--owner=0", "--group=0", "--numeric-owner", "--sort=name"];
      await runBuildTool("tar", ["-c", ...owners, "-f", archive, "-C", root, "."], {
        folder,
        signal: options.signal,
      });
      const raw = join(folder, "disk.raw");
      const disk = { archive, finishScript: null, sizeMib: TINY_DISK_MIB, uuid: uuidOf(inputs) };
      await writeBootableDisk(imagesFolder, raw, disk, folder, options);
      await convertToQcow2(raw, join(folder, "tiny.qcow2"), folder, options.signal);
    },
  };
  return { qcow2Path: imageFile(await buildImage(imagesFolder, recipe, options), "tiny.qcow2") };
}

const TINY_DISK_MIB = 64;

/** Where the scripts of the guest belong. */
const TINY_PLACES: Readonly<Record<string, string>> = {
  init: "sbin/init",
  "power-button": "etc/acpi/PWRF/00000080",
  "shell.cgi": "www/cgi-bin/shell",
};
