import { closeSync, constants, existsSync, fstatSync, openSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { HypervisorError } from "../hypervisor/errors.ts";
import type { MachineUsers } from "./machine-user.ts";

/** Whose files a machine may be given. */
export interface FileRules {
  /** With their links resolved. */
  readonly writableDirs: readonly string[];
  readonly readableDirs: readonly string[];
  /** The node's user, and the helper's own; null: a helper without rights opens nothing that the node could not. */
  readonly ownerIds: ReadonlySet<number> | null;
  /** Their files are the node's as well. */
  readonly machineUsers: MachineUsers;
}

export function fileRulesOf(
  dir: string,
  readOnlyDirs: readonly string[],
  ownerIds: readonly number[] | null,
  machineUsers: MachineUsers,
): FileRules {
  const writableDirs = [realpathSync(dir)];
  const readableDirs = [...writableDirs, ...readOnlyDirs.map(placeOf)];
  return {
    writableDirs,
    readableDirs,
    ownerIds: ownerIds === null ? null : new Set(ownerIds),
    machineUsers,
  };
}

/** Of a folder that is not there yet, what it will be unless somebody puts a link in its place: that leads nowhere. */
function placeOf(folder: string): string {
  if (existsSync(folder)) return realpathSync(folder);
  return join(placeOf(dirname(folder)), basename(folder));
}

/**
 * Opens a file that the node has named. It is judged once it is open, so nobody can put another in its place: it must
 * be a plain file in the folders of the node that is not somebody else's.
 *
 * @throws HypervisorError SPEC_INVALID
 */
export function openNodeFile(path: string, isReadOnly: boolean, rules: FileRules): number {
  const flags = isReadOnly ? constants.O_RDONLY : constants.O_RDWR;
  let file: number;
  try {
    file = openSync(path, flags | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (cause) {
    throw refused(path, cause instanceof Error ? cause.message : "it could not be opened", cause);
  }
  const problem = problemOf(file, isReadOnly ? rules.readableDirs : rules.writableDirs, rules, "isFile");
  if (problem === null) return file;
  closeSync(file);
  throw refused(path, problem);
}

/** Opens a folder that the node has named, to name what is inside through it. @throws HypervisorError SPEC_INVALID */
export function openNodeFolder(path: string, rules: FileRules): number {
  let folder: number;
  try {
    folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    throw refused(path, cause instanceof Error ? cause.message : "it could not be opened", cause);
  }
  const problem = problemOf(folder, rules.writableDirs, rules, "isDirectory");
  if (problem === null) return folder;
  closeSync(folder);
  throw refused(path, problem);
}

function problemOf(
  file: number,
  dirs: readonly string[],
  { ownerIds, writableDirs, machineUsers }: FileRules,
  kind: "isFile" | "isDirectory",
): string | null {
  const real = readlinkSync(`/proc/self/fd/${file}`);
  if (!dirs.some((dir) => real.startsWith(`${dir}/`))) {
    return `it lies outside of the node's folder, at ${real}`;
  }
  const facts = fstatSync(file);
  if (!facts[kind]()) return kind === "isFile" ? "it is no plain file" : "it is no folder";
  // The operator alone puts files into other folders, whoever they belong to.
  if (ownerIds === null || !writableDirs.some((dir) => real.startsWith(`${dir}/`))) return null;
  if (!ownerIds.has(facts.uid) && !machineUsers.has(facts.uid))
    return `it belongs to another user (${facts.uid})`;
  return null;
}

function refused(path: string, reason: string, cause?: unknown): HypervisorError {
  return new HypervisorError("SPEC_INVALID", `${path} cannot be given to a machine: ${reason}`, { cause });
}
