import { existsSync, mkdirSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HypervisorError } from "../hypervisor/errors.ts";
import { lockFolder } from "./folder-lock.ts";
import { recordsFolderOf } from "./helper-folders.ts";
import { MAX_RANGES, type MachineUsers, machineUsers } from "./machine-user.ts";

/** Of all nodes of this host whose helpers are root; a boot of the host begins anew, as do all machines. */
export const USERS_FOLDER = "/run/twentysix";

const LOCK_TIMEOUT_MS = 10_000;

/**
 * Gives a node users for its machines that no other node of this host has: what breaks out of a guest must not reach
 * the files and processes of another node's. The same after each start; free again once the last process of its users
 * has ended and the node's folder is gone, or, when there are no others, its helper does not run.
 *
 * @throws HypervisorError HELPER_REFUSED when all are taken
 */
export function claimMachineUsers(dir: string, usersFolder: string): MachineUsers {
  // Two paths of one folder are one node.
  const folder = realpathSync(dir);
  mkdirSync(usersFolder, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(usersFolder, "machine-users.sqlite3"), { timeout: LOCK_TIMEOUT_MS });
  try {
    database.exec("BEGIN IMMEDIATE");
    database.exec(
      "CREATE TABLE IF NOT EXISTS machine_users (range INTEGER PRIMARY KEY, folder TEXT NOT NULL UNIQUE)",
    );
    const range = claim(database, folder);
    database.exec("COMMIT");
    return machineUsers(range);
  } finally {
    database.close();
  }
}

function claim(database: DatabaseSync, folder: string): number {
  const rows = database.prepare("SELECT range, folder FROM machine_users").all();
  const owners = new Map(rows.map((row) => [Number(row.range), String(row.folder)]));
  for (const [range, owner] of owners) if (owner === folder) return range;
  const users = userIdsOfProcesses();
  const unused = Array.from({ length: MAX_RANGES }, (_, range) => range).filter(
    (range) => !users.some(machineUsers(range).has),
  );
  const free =
    unused.find((range) => !existsSync(owners.get(range) ?? "")) ??
    unused.find((range) => isAbandoned(owners.get(range) ?? ""));
  if (free === undefined) {
    throw new HypervisorError(
      "HELPER_REFUSED",
      `the ${MAX_RANGES} ranges of users for machines of this host are taken: end a node`,
    );
  }
  database.prepare("INSERT OR REPLACE INTO machine_users (range, folder) VALUES (?, ?)").run(free, folder);
  return free;
}

/** No helper works there: when one starts it claims other users. */
function isAbandoned(folder: string): boolean {
  using lock = lockFolder(recordsFolderOf(folder));
  return lock !== null;
}

function userIdsOfProcesses(): readonly number[] {
  const userIds = new Set<number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const { uid } = statSync(`/proc/${name}`, { throwIfNoEntry: false }) ?? {};
    if (uid !== undefined) userIds.add(uid);
  }
  return [...userIds];
}
