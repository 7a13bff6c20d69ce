import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { HypervisorError } from "../hypervisor/errors.ts";

/** Of the user of the node, who reads logs and connects to sockets. */
export interface NodeUser {
  readonly userId: number;
  readonly groupId: number;
}

/** Stay when a machine ends: its owner may still want to know why. */
const KEPT = new Set(["serial.log", "serial.log.1", "qemu.log"]);

/**
 * Makes the folder of a machine. While QEMU makes its sockets there the folder is its own; the group of what is made
 * is that of the node, who so may connect.
 */
export function makeRunFolder(path: string, user: NodeUser, machineUserId: number | null): void {
  makeOuterFolder(dirname(path), user, machineUserId !== null);
  if (existsSync(path)) clearRunFolder(path);
  rmSync(join(path, "qemu.log"), { force: true });
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const work = join(path, "work");
  mkdirSync(work, { mode: 0o700 });
  if (machineUserId === null) return;
  for (const folder of [path, work]) {
    chownSync(folder, machineUserId, user.groupId);
    chmodSync(folder, 0o2770);
  }
}

/** All run folders are in one of the node's. */
function makeOuterFolder(path: string, user: NodeUser, isRoot: boolean): void {
  if (existsSync(path)) return;
  mkdirSync(path, { mode: 0o700 });
  if (isRoot) chownSync(path, user.userId, user.groupId);
}

/**
 * Takes the folder from the machine before its guest runs: what broke out of a guest cannot put a link to another file
 * in the place of a log. Only its folder `work` stays its own.
 */
export function lockRunFolder(path: string, user: NodeUser, machineUserId: number | null): void {
  if (machineUserId === null) return;
  chownSync(path, user.userId, user.groupId);
  chmodSync(path, 0o751);
}

/** Removes all but the logs. */
export function clearRunFolder(path: string): void {
  if (!lstatSync(path).isDirectory()) {
    throw new HypervisorError(
      "START_FAILED",
      `${path} is in the place of the folder of a machine: remove it`,
    );
  }
  for (const name of readdirSync(path)) {
    if (!KEPT.has(name)) rmSync(join(path, name), { recursive: true, force: true });
  }
}
