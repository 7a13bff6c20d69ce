import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

export interface HostProcess {
  readonly pid: number;
  readonly words: string;
}

/** QEMU of a guest. */
export interface GuestProcess {
  readonly pid: number;
  readonly vmHash: string;
  /** Where it works: below the folder of its node. */
  readonly place: string;
}

/** The processes whose command line names a folder, in whichever namespace they are. */
export function processesNaming(folder: string): readonly HostProcess[] {
  return pids().flatMap((pid) => {
    const words = wordsOf(pid);
    return words.includes(folder) ? [{ pid, words }] : [];
  });
}

/** QEMU of each guest that works below a folder. */
export function guestsBelow(folder: string): readonly GuestProcess[] {
  return pids().flatMap((pid) => {
    const place = ofProcess(pid, (path) => readlinkSync(join(path, "cwd"))) ?? "";
    if (!place.startsWith(`${folder}/`)) return [];
    const vmHash = /guest=twentysix-([0-9a-f]{64})/.exec(wordsOf(pid))?.[1];
    return vmHash === undefined ? [] : [{ pid, vmHash, place }];
  });
}

const pids = (): readonly number[] =>
  readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));

const wordsOf = (pid: number): string =>
  ofProcess(pid, (path) => readFileSync(join(path, "cmdline"), "utf8").replaceAll("\0", " ")) ?? "";

/** null: it has ended meanwhile. */
function ofProcess<Value>(pid: number, read: (path: string) => Value): Value | null {
  try {
    return read(`/proc/${pid}`);
  } catch {
    return null;
  }
}
