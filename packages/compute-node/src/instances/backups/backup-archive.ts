import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BackupFile, BackupMetadata } from "../../control/instance-services.ts";
import { runTool } from "../../processes/run-tool.ts";
import { sha256OfFile } from "../disks/sha256-of-file.ts";

const ID = /^[0-9a-f]{64}-\d{8}T\d{6}Z$/;
const HASH = /^[0-9a-f]{64}$/;
const HASH_CHARACTERS = 64;
const META = ".meta.json";
const MAKING = "making-";

/** A backup that the end of the node has cut off. */
export interface Unfinished {
  readonly vmHash: string;
  readonly path: string;
}

/** `HASH-20250101T100000Z` */
export function backupId(vmHash: string, nowMs: number): string {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  return `${vmHash}-${time}`;
}

/**
 * The backups in a folder: a tar each, with its metadata beside it. An archive is there when its metadata are: these
 * are written last and removed first.
 */
export class BackupArchives {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** A folder of its own for the files of one backup in the making, which says whose it is. */
  async workFolder(vmHash: string): Promise<string> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    return mkdtemp(join(this.#dir, `${MAKING}${vmHash}-`));
  }

  /** Packs the files of a folder. */
  async pack(
    folder: string,
    facts: Pick<BackupMetadata, "backupId" | "volumes" | "expiresAtMs" | "sourceSizes">,
    signal: AbortSignal,
  ): Promise<BackupMetadata> {
    const partial = join(folder, "archive.tar");
    await runTool("tar", ["-C", folder, "-cf", partial, "--", ...facts.volumes], { signal });
    const sha256 = await sha256OfFile(partial, signal);
    const { size: sizeBytes } = await stat(partial);
    const metadata: BackupMetadata = { ...facts, sha256, sizeBytes };
    const path = this.#pathOf(facts.backupId);
    await rename(partial, path);
    await writeFile(`${path}.sha256`, `${sha256}  ${facts.backupId}.tar\n`, { mode: 0o600 });
    await writeFile(`${path}${META}.new`, JSON.stringify(metadata), { mode: 0o600 });
    await rename(`${path}${META}.new`, `${path}${META}`);
    return metadata;
  }

  async find(vmHash: string, id: string): Promise<BackupFile | null> {
    if (!ID.test(id) || !id.startsWith(vmHash)) return null;
    const path = this.#pathOf(id);
    try {
      return { path, metadata: JSON.parse(await readFile(`${path}${META}`, "utf8")) as BackupMetadata };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }

  /** The newest that has not expired. */
  async newest(vmHash: string, nowMs: number): Promise<BackupMetadata | null> {
    const ids = (await this.#ids()).filter((id) => id.startsWith(vmHash)).sort();
    for (const id of ids.reverse()) {
      const found = await this.find(vmHash, id);
      if (found !== null && found.metadata.expiresAtMs > nowMs) return found.metadata;
    }
    return null;
  }

  async remove(vmHash: string, id: string): Promise<boolean> {
    const found = await this.find(vmHash, id);
    if (found === null) return false;
    for (const end of [META, ".sha256", ""]) await rm(`${found.path}${end}`, { force: true });
    return true;
  }

  /** With what was left of those in the making. */
  async removeAll(vmHash: string): Promise<void> {
    for (const id of await this.#ids()) if (id.startsWith(vmHash)) await this.remove(vmHash, id);
    for (const name of await this.#names()) {
      if (name.startsWith(`${MAKING}${vmHash}-`))
        await rm(join(this.#dir, name), { recursive: true, force: true });
    }
  }

  async removeExpired(nowMs: number): Promise<void> {
    for (const id of await this.#ids()) {
      const vmHash = id.slice(0, HASH_CHARACTERS);
      const found = await this.find(vmHash, id);
      if (found !== null && found.metadata.expiresAtMs <= nowMs) await this.remove(vmHash, id);
    }
  }

  /**
   * At the start of the node, what a crash has left: removes whatever is no complete archive, but the folders of backups
   * that were in the making.
   */
  async clearUnfinished(): Promise<readonly Unfinished[]> {
    const complete = new Set(await this.#ids());
    const unfinished: Unfinished[] = [];
    for (const name of await this.#names()) {
      const path = join(this.#dir, name);
      const vmHash = name.slice(MAKING.length, MAKING.length + HASH_CHARACTERS);
      if (name.startsWith(MAKING) && HASH.test(vmHash)) unfinished.push({ vmHash, path });
      else if (!complete.has(name.slice(0, name.indexOf("."))))
        await rm(path, { recursive: true, force: true });
    }
    return unfinished;
  }

  async #ids(): Promise<string[]> {
    const ends = `.tar${META}`;
    return (await this.#names())
      .filter((name) => name.endsWith(ends))
      .map((name) => name.slice(0, -ends.length));
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await readdir(this.#dir);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }

  #pathOf(id: string): string {
    return join(this.#dir, `${id}.tar`);
  }
}
