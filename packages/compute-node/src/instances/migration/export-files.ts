import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ExportedFile, ExportJob } from "../../control/instance-services.ts";
import type { SourceDisk } from "../backups/copy-disks.ts";
import { flattenImage } from "../disks/flatten-image.ts";
import { sha256OfFile } from "../disks/sha256-of-file.ts";
import type { VmFolder } from "../disks/vm-folder.ts";

const JOB = "job.json";

/** What an export leaves in the folder of its machine: each disk as one file, and the job itself. */
export class ExportFiles {
  readonly folder: string;
  readonly #vmHash: string;

  constructor(folder: VmFolder, vmHash: string) {
    this.folder = join(folder.path, "export");
    this.#vmHash = vmHash;
  }

  /** Writes every disk, flat: the target needs nothing of what it stood on here. */
  async write(disks: readonly SourceDisk[], signal: AbortSignal): Promise<readonly ExportedFile[]> {
    await this.remove();
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const files: ExportedFile[] = [];
    for (const { name, ...source } of disks) {
      const path = this.pathOf(name);
      await flattenImage({ ...source, isInUse: false }, path, signal);
      const { size: sizeBytes } = await stat(path);
      const downloadPath = `/control/machine/${this.#vmHash}/migration/disk/${name}`;
      files.push({ name, sizeBytes, sha256: await sha256OfFile(path, signal), downloadPath });
    }
    return files;
  }

  /** A job outlives the node: its token can be read again after a restart. */
  async save(job: ExportJob): Promise<void> {
    const path = join(this.folder, JOB);
    await writeFile(`${path}.new`, JSON.stringify(job), { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
  }

  async load(): Promise<ExportJob | null> {
    try {
      return JSON.parse(await readFile(join(this.folder, JOB), "utf8")) as ExportJob;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }

  pathOf(name: string): string {
    return join(this.folder, `${name}.export.qcow2`);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
