import { readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { HostImages } from "../images.ts";
import { ASGI_LIBRARIES_RECIPE } from "./asgi-libraries.ts";
import type { BuildOptions } from "./build-tool.ts";
import { type CpioEntry, writeCpio } from "./cpio.ts";
import { type GuestFile, readGuestFiles } from "./guest-files.ts";
import { type BuiltImage, buildImage, type ImageRecipe, imageFile } from "./image-store.ts";
import { KERNEL_MODULES, KERNEL_RECIPE, moduleFile } from "./kernel-image.ts";

/**
 * Kernel and initial file system of guests: those in the folder, or built now from Debian's packages (about ten
 * seconds; needs mmdebstrap and the network, but no privileges).
 *
 * @throws ImageError BUILD_FAILED, TOOL_MISSING
 */
export async function hostImages(imagesFolder: string, options: BuildOptions): Promise<HostImages> {
  const kernel = await kernelImage(imagesFolder, options);
  const libraries = await buildImage(imagesFolder, ASGI_LIBRARIES_RECIPE, options);
  const initrd = await buildImage(imagesFolder, await initrdRecipe(kernel, libraries), options);
  await nameFile(join(imagesFolder, "kernel"), imageFile(kernel, "vmlinuz"));
  await nameFile(join(imagesFolder, "initrd"), imageFile(initrd, "initrd.cpio"));
  return { kernelPath: imageFile(kernel, "vmlinuz"), initrdPath: imageFile(initrd, "initrd.cpio") };
}

/** A name that stays, for the host helper, which is told of the folder alone. */
async function nameFile(path: string, target: string): Promise<void> {
  const destination = relative(dirname(path), target);
  // A folder that only its operator may change is used as it is.
  if ((await readlink(path).catch(() => null)) === destination) return;
  const fresh = `${path}.${process.pid}`;
  await rm(fresh, { force: true });
  await symlink(destination, fresh);
  await rename(fresh, path);
}

/** The kernel with its drivers, and busybox: what other images of ours are made of. */
export function kernelImage(imagesFolder: string, options: BuildOptions): Promise<BuiltImage> {
  return buildImage(imagesFolder, KERNEL_RECIPE, options);
}

/** Apart from the kernel: the guest's scripts change more often, and are put together in a moment. */
async function initrdRecipe(kernel: BuiltImage, libraries: BuiltImage): Promise<ImageRecipe> {
  const scripts = await readGuestFiles("initramfs");
  const agent = await readGuestFiles("agent");
  return {
    kind: "initrd",
    inputs: [
      "2",
      JSON.stringify(kernel.files),
      JSON.stringify(libraries.files),
      ...inputsOf(scripts),
      ...inputsOf(agent),
    ],
    files: ["initrd.cpio"],
    async build(folder) {
      const entries = [
        ...(await kernelEntries(kernel)),
        ...scripts.map((file) => fileEntry(file, "", true)),
        ...agent.map((file) => fileEntry(file, "agent/", false)),
      ];
      // The kernel unpacks one archive after the other.
      const archives = [writeCpio(entries), await readFile(imageFile(libraries, "libraries.cpio"))];
      await writeFile(join(folder, "initrd.cpio"), Buffer.concat(archives));
    },
  };
}

async function kernelEntries(kernel: BuiltImage): Promise<readonly CpioEntry[]> {
  const modules = KERNEL_MODULES.map(async (name): Promise<CpioEntry> => {
    const bytes = await readFile(imageFile(kernel, moduleFile(name)));
    return { kind: "file", path: `modules/${moduleFile(name)}`, bytes, isExecutable: false };
  });
  const order = Buffer.from(KERNEL_MODULES.map((name) => `${name}\n`).join(""));
  const busybox = await readFile(imageFile(kernel, "busybox"));
  return [
    ...(await Promise.all(modules)),
    { kind: "file", path: "modules/order", bytes: order, isExecutable: false },
    { kind: "file", path: "bin/busybox", bytes: busybox, isExecutable: true },
  ];
}

function fileEntry({ path, bytes }: GuestFile, prefix: string, isExecutable: boolean): CpioEntry {
  return { kind: "file", path: `${prefix}${path}`, bytes, isExecutable };
}

export function inputsOf(files: readonly GuestFile[]): readonly string[] {
  return files.flatMap(({ path, bytes }) => [path, bytes.toString("base64")]);
}
