import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Timers } from "@twentysix/platform";

/** What the kernel limits, by the name that both versions use. */
export type Controller = "memory" | "pids" | "cpu" | "io";

export interface LimitFile {
  readonly file: string;
  readonly value: string;
}

export interface CgroupTreeOptions {
  readonly version: 1 | 2;
  /** Folder of the group that holds those of all machines of this node. */
  readonly path: string;
  readonly controllers: readonly Controller[];
  /** Makes that folder; called whenever a first machine comes. */
  readonly prepare: () => Promise<void>;
  readonly timers: Timers;
}

/** The kernel lets go of a group a moment after its last process was killed. */
const REMOVE_TRIES = 100;
const REMOVE_PAUSE_MS = 20;

/** Groups of machines in one file system of control groups. */
export class CgroupTree {
  readonly version: 1 | 2;
  readonly controllers: readonly Controller[];
  readonly #path: string;
  readonly #prepare: () => Promise<void>;
  readonly #timers: Timers;

  constructor({ version, path, controllers, prepare, timers }: CgroupTreeOptions) {
    this.version = version;
    this.controllers = controllers;
    this.#path = path;
    this.#prepare = prepare;
    this.#timers = timers;
  }

  pathOf(group: string): string {
    return join(this.#path, group);
  }

  async groups(): Promise<readonly string[]> {
    const entries = await readdir(this.#path, { withFileTypes: true }).catch(absentIsEmpty);
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  }

  async processes(group: string): Promise<readonly number[]> {
    const text = await readFile(join(this.pathOf(group), "cgroup.procs"), "utf8");
    return text.split("\n").filter(Boolean).map(Number);
  }

  /** Makes the group with its limits, and puts the process into it: whatever it starts is in it too. */
  async place(group: string, pid: number, limits: readonly LimitFile[]): Promise<void> {
    const path = this.pathOf(group);
    await this.#prepare();
    await mkdir(path, { recursive: true });
    for (const { file, value } of limits) await writeFile(join(path, file), value);
    await writeFile(join(path, "cgroup.procs"), String(pid));
  }

  /** Ends what is left in the group, and removes it; with the last one goes the group of all. */
  async remove(group: string): Promise<void> {
    for (let attempt = 1; !(await isRemoved(this.pathOf(group))); attempt += 1) {
      if (attempt === REMOVE_TRIES)
        throw new Error(`${this.pathOf(group)} still has processes that do not end`);
      await this.#endProcesses(group);
      await this.#timers.sleep(REMOVE_PAUSE_MS);
    }
    await this.removeIfEmpty();
  }

  /** Removes the group of all machines where there are none. */
  async removeIfEmpty(): Promise<void> {
    await isRemoved(this.#path);
  }

  /** What the group uses, in words: numbers of the kernel as they are. */
  async describe(group: string): Promise<string> {
    const files = this.version === 2 ? FACTS_V2 : FACTS_V1;
    const facts: string[] = [];
    for (const file of files) {
      const text = await readFile(join(this.pathOf(group), file), "utf8").catch(() => null);
      if (text !== null) facts.push(`${file} ${text.trim().replaceAll("\n", ", ")}`);
    }
    return facts.join("; ");
  }

  async #endProcesses(group: string): Promise<void> {
    for (const pid of await this.processes(group)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
  }
}

const FACTS_V2 = ["memory.current", "memory.max", "memory.events", "pids.current", "pids.max", "cpu.max"];
const FACTS_V1 = [
  "memory.usage_in_bytes",
  "memory.limit_in_bytes",
  "memory.oom_control",
  "pids.current",
  "pids.max",
  "cpu.cfs_quota_us",
];

/** false: it has processes, or groups of other machines. */
async function isRemoved(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return true;
    if (code === "EBUSY" || code === "ENOTEMPTY") return false;
    throw error;
  }
}

function absentIsEmpty(error: NodeJS.ErrnoException): never[] {
  if (error.code === "ENOENT") return [];
  throw error;
}
