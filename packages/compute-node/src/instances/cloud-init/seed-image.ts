import { chmod, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runTool } from "../../processes/run-tool.ts";

export interface SeedFiles {
  readonly userData: string;
  readonly metaData: string;
  readonly networkConfig: string;
}

/**
 * Writes the CD-ROM that cloud-init finds by its label (data source NoCloud), in place of an older one.
 *
 * @throws ToolError
 */
export async function writeSeedImage(path: string, files: SeedFiles, signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(`${path}.`);
  try {
    await writeFile(join(folder, "user-data"), files.userData);
    await writeFile(join(folder, "meta-data"), files.metaData);
    await writeFile(join(folder, "network-config"), files.networkConfig);
    const image = join(folder, "seed.iso");
    await runTool(
      "genisoimage",
      [
        "-quiet",
        "-output",
        image,
        "-volid",
        "cidata",
        "-joliet",
        "-rock",
        ...NAMES.map((name) => join(folder, name)),
      ],
      { signal },
    );
    await chmod(image, 0o644);
    await rename(image, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const NAMES = ["user-data", "meta-data", "network-config"];
