import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Logger } from "@twentysix/platform";
import type { DiskClaim, DiskRoom } from "../../executions/admission/disk-claims.ts";
import { ensureSparseFile } from "../program/program-disks.ts";

export interface TemplateStoreOptions {
  readonly computeDir: string;
  readonly hostBootId: string;
  readonly maxTemplates: number;
  /** On the disk, all together. */
  readonly maxBytes: number;
  readonly room: DiskRoom;
  readonly clock: Pick<Clock, "nowMicros">;
  readonly log: Logger;
}

interface StoredTemplate {
  readonly key: string;
  readonly usedAtMs: number;
  readonly bytes: number;
}

/** Written when a template is whole; names the boot of the host that it was made in. */
const MARK = "template.json";
const BLOCK_BYTES = 512;

/** Machines that wait, on the disk. The least used are removed when they take too much. */
export class TemplateStore {
  readonly #options: TemplateStoreOptions;
  readonly #folder: string;
  /** Of those that are being made. */
  readonly #claims = new Map<string, DiskClaim>();
  /** Bytes of those that are whole. */
  readonly #sizes = new Map<string, number>();

  private constructor(options: TemplateStoreOptions) {
    this.#options = options;
    this.#folder = join(options.computeDir, "templates");
  }

  /** Removes what an earlier run did not finish, and what was made before the host was booted. */
  static async open(options: TemplateStoreOptions): Promise<TemplateStore> {
    const store = new TemplateStore(options);
    await mkdir(store.#folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(store.#folder)) {
      const path = join(store.#folder, name);
      if (!(await stat(path)).isDirectory()) continue;
      if (await store.#isWhole(path)) store.#sizes.set(name, await bytesIn(path));
      else await rm(path, { recursive: true, force: true });
    }
    return store;
  }

  /** Of those that are whole. */
  figures(): { readonly count: number; readonly bytes: number } {
    let bytes = 0;
    for (const size of this.#sizes.values()) bytes += size;
    return { count: this.#sizes.size, bytes };
  }

  /** The file that stands in for a drive that is only read. */
  placeholder(): Promise<string> {
    return ensureSparseFile(join(this.#folder, "placeholder"));
  }

  /** Folder of a template that is whole, which counts as used now; null: there is none. */
  async find(key: string): Promise<string | null> {
    const folder = join(this.#folder, key);
    if (!(await this.#isWhole(folder))) return null;
    const seconds = Number(this.#options.clock.nowMicros()) / 1e6;
    await utimes(join(folder, MARK), seconds, seconds);
    return folder;
  }

  /**
   * An empty folder for one that is to be made, and takes no more than so many bytes; until `finish` or `drop`.
   *
   * @throws Error the disk has no room but that of machines
   */
  async begin(key: string, maxBytes: number): Promise<string> {
    const folder = join(this.#folder, key);
    await this.drop(key);
    const claim = await this.#options.room.claim(folder, maxBytes);
    if (claim === null) throw new Error(`the disk has no ${maxBytes} bytes that no machine was promised`);
    this.#claims.set(key, claim);
    await mkdir(folder, { mode: 0o700 });
    return folder;
  }

  async finish(key: string): Promise<void> {
    const { hostBootId } = this.#options;
    await writeFile(join(this.#folder, key, MARK), JSON.stringify({ hostBootId }));
    this.#release(key);
    this.#sizes.set(key, await bytesIn(join(this.#folder, key)));
    await this.#makeRoom(key);
  }

  /** Machines that continue from it go on: they have its files open. */
  async drop(key: string): Promise<void> {
    this.#sizes.delete(key);
    await rm(join(this.#folder, key), { recursive: true, force: true });
    this.#release(key);
  }

  #release(key: string): void {
    this.#claims.get(key)?.[Symbol.dispose]();
    this.#claims.delete(key);
  }

  /** Those that are whole, the last used first. */
  async list(): Promise<readonly StoredTemplate[]> {
    const found: StoredTemplate[] = [];
    for (const key of await readdir(this.#folder)) {
      const folder = join(this.#folder, key);
      if (!(await this.#isWhole(folder))) continue;
      const { mtimeMs } = await stat(join(folder, MARK));
      found.push({ key, usedAtMs: mtimeMs, bytes: await bytesIn(folder) });
    }
    return found.sort((a, b) => b.usedAtMs - a.usedAtMs);
  }

  async #makeRoom(kept: string): Promise<void> {
    const { maxTemplates, maxBytes, log } = this.#options;
    let bytes = 0;
    let count = 0;
    for (const template of await this.list()) {
      count += 1;
      bytes += template.bytes;
      if (template.key === kept || (count <= maxTemplates && bytes <= maxBytes)) continue;
      log.info("a template was removed for others", { key: template.key, bytes: template.bytes });
      count -= 1;
      bytes -= template.bytes;
      await this.drop(template.key);
    }
  }

  async #isWhole(folder: string): Promise<boolean> {
    try {
      const mark = JSON.parse(await readFile(join(folder, MARK), "utf8")) as { readonly hostBootId?: string };
      return mark.hostBootId === this.#options.hostBootId;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR" || error instanceof SyntaxError) return false;
      throw error;
    }
  }
}

/** What the files of a folder take on the disk: they are sparse. */
async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).blocks * BLOCK_BYTES;
  return bytes;
}
