import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { recordsFolderOf, runFolderOf } from "./helper-folders.ts";
import type { HostPart, InventoryEntry } from "./host-parts.ts";
import { bootId, isAlive } from "./host-processes.ts";
import { type MachineRecord, MachineRecords } from "./machine-record.ts";

/** All that machines of a node have on its host, and what of it belongs to no machine that runs. */
export interface Inventory {
  readonly entries: readonly InventoryEntry[];
  /** Left by something that went wrong: nobody looks after it. */
  readonly orphans: readonly InventoryEntry[];
}

/** Looks at the host itself; what the helper remembers only says which machines run. */
export async function takeInventory(
  dir: string,
  parts: readonly Pick<HostPart, "inventory">[],
  signal: AbortSignal,
): Promise<Inventory> {
  const records = existsSync(recordsFolderOf(dir))
    ? new MachineRecords(recordsFolderOf(dir)).readAll(bootId())
    : [];
  const alive = records.filter((record) => isAlive(record.process));
  const ofParts = await Promise.all(parts.map((part) => part.inventory(signal)));
  const entries = [
    ...processEntries(dir),
    ...runFolderEntries(dir, alive),
    ...folderEntries(dir, "vms", "disks"),
    ...folderEntries(dir, "templates", "memory and state of a template"),
    ...ofParts.flat(),
  ];
  return { entries, orphans: entries.filter((entry) => isOrphan(entry, alive)) };
}

/** Folders of logs, disks and templates stay when their machine ends; all else ends with it. */
function isOrphan(entry: InventoryEntry, alive: readonly MachineRecord[]): boolean {
  if (entry.kind === "folder") return entry.detail === UNFINISHED;
  if (entry.kind === "process") {
    const known = alive.flatMap((record) => [
      record.process.pid,
      record.companion?.pid,
      record.vsockDevice?.pid,
    ]);
    return !known.includes(Number(entry.name));
  }
  if (entry.vmHash === null && entry.vmNumber === null) return false;
  return !alive.some(
    ({ spec }) =>
      (entry.vmHash === null || entry.vmHash === spec.vmHash) &&
      (entry.vmNumber === null || entry.vmNumber === spec.vmNumber),
  );
}

const UNFINISHED = "sockets of a machine that does not run";

/** QEMU of this node and what belongs to it, whoever knows of it: all work in the folder of their machine. */
function processEntries(dir: string): InventoryEntry[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const command = commandOf(pid, join(dir, "run"));
      if (command === null) return [];
      const vmHash = /guest=twentysix-([\w-]+)/.exec(command)?.[1] ?? null;
      const detail = vmHash === null ? (command.split(" ")[0] ?? "") : "QEMU";
      return [{ kind: "process" as const, name: pid, vmHash, vmNumber: null, detail }];
    });
}

/** The command line of a process that works below a folder; null of every other one. */
function commandOf(pid: string, folder: string): string | null {
  try {
    if (!readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/`)) return null;
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    // It ended meanwhile, or it is a stranger's.
    return null;
  }
}

function runFolderEntries(dir: string, alive: readonly MachineRecord[]): InventoryEntry[] {
  const run = join(dir, "run");
  if (!existsSync(run)) return [];
  return readdirSync(run).map((name) => {
    const path = join(run, name);
    const spec = alive.find((record) => runFolderOf(dir, record.spec.vmHash) === path)?.spec;
    const isUnfinished = spec === undefined && existsSync(join(path, "work"));
    const detail = spec
      ? "sockets and logs"
      : isUnfinished
        ? UNFINISHED
        : "logs of a machine that does not run";
    return {
      kind: "folder" as const,
      name: path,
      vmHash: spec?.vmHash ?? null,
      vmNumber: spec?.vmNumber ?? null,
      detail,
    };
  });
}

function folderEntries(dir: string, folder: string, detail: string): InventoryEntry[] {
  const path = join(dir, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path).map((name) => ({
    kind: "folder" as const,
    name: join(path, name),
    vmHash: folder === "vms" ? name : null,
    vmNumber: null,
    detail,
  }));
}
