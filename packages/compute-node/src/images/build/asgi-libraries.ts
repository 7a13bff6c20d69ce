import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CpioEntry, writeCpio } from "./cpio.ts";
import { DEBIAN_RELEASE, extractPackages } from "./debian.ts";
import type { ImageRecipe } from "./image-store.ts";

const PACKAGES = ["python3-uvicorn", "python3-wsproto"];

/** What the server of ASGI applications consists of: Python alone, fit for every version that runtimes have. */
const MODULES = ["uvicorn", "h11", "wsproto", "click", "asgiref", "typing_extensions.py"];

/** For runtimes that have Python and no server for ASGI applications, as those of the reference: part of the initrd. */
export const ASGI_LIBRARIES_RECIPE: ImageRecipe = {
  kind: "asgi-libraries",
  inputs: ["1", DEBIAN_RELEASE, ...PACKAGES, ...MODULES],
  files: ["libraries.cpio"],
  async build(folder, options) {
    const tree = join(folder, "tree");
    await extractPackages(PACKAGES, tree, folder, options);
    const packages = join(tree, "usr/lib/python3/dist-packages");
    const entries: CpioEntry[] = [];
    for (const file of await readdir(packages, { recursive: true, withFileTypes: true })) {
      const path = join(file.parentPath, file.name).slice(packages.length + 1);
      const [module = ""] = path.split("/");
      if (!file.isFile() || !path.endsWith(".py") || !MODULES.includes(module)) continue;
      const bytes = await readFile(join(packages, path));
      entries.push({ kind: "file", path: `libraries/${path}`, bytes, isExecutable: false });
    }
    await writeFile(join(folder, "libraries.cpio"), writeCpio(entries));
  },
};
