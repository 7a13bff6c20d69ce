import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runBuildTool } from "./build-tool.ts";
import { DEBIAN_RELEASE, extractPackages } from "./debian.ts";
import type { ImageRecipe } from "./image-store.ts";

const PACKAGES = ["grub-common", "grub-pc-bin"];

/** All that it takes to read `/boot/grub/grub.cfg` from ext4 on the first partition: nothing is loaded later. */
const MODULES = ["biosdisk", "part_msdos", "ext2", "linux", "normal", "configfile", "echo", "test", "boot"];

/** Where the loader looks for its configuration. */
const PREFIX = "(hd0,msdos1)/boot/grub";

/** GRUB for disks with a BIOS: its first sector, and what that loads. Made without privileges. */
export const BOOT_LOADER_RECIPE: ImageRecipe = {
  kind: "grub",
  inputs: ["1", DEBIAN_RELEASE, PREFIX, ...PACKAGES, ...MODULES],
  files: ["boot.img", "core.img"],
  async build(folder, options) {
    const tree = join(folder, "tree");
    await extractPackages(PACKAGES, tree, folder, options);
    const modulesFolder = join(tree, "usr/lib/grub/i386-pc");
    await copyFile(join(modulesFolder, "boot.img"), join(folder, "boot.img"));
    const config = join(folder, "early.cfg");
    await writeFile(config, `set prefix=${PREFIX}\n`);
    const target = join(folder, "core.img");
    const what = ["-d", modulesFolder, "-O", "i386-pc", "-p", PREFIX, "-c", config, "-o", target, ...MODULES];
    // The program of the package with the libraries of the package: this machine need not have either.
    const libraries = ["lib", "usr/lib"].map((name) => join(tree, name, "x86_64-linux-gnu")).join(":");
    const program = ["--library-path", libraries, join(tree, "usr/bin/grub-mkimage")];
    await runBuildTool(join(tree, "lib64/ld-linux-x86-64.so.2"), [...program, ...what], {
      folder,
      signal: options.signal,
    });
  },
};
