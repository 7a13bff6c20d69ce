import { closeSync, fchmodSync, fchownSync, openSync } from "node:fs";
import { join } from "node:path";
import { type GatedProcess, spawnGated } from "./gated-process.ts";
import { deviceGroupId } from "./kvm-device.ts";
import { appending } from "./machine-files.ts";
import type { NodeUser } from "./run-folder.ts";
import { SEV_PATHS } from "./sev-host.ts";
import { NAMESPACE_SCRIPT } from "./user-internet/namespace-files.ts";

export interface SpawnOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly runDir: string;
  /** Handed over from number 3 on. */
  readonly handles: readonly number[];
  /** null: the helper is not root, and the machine runs as its user. */
  readonly userId: number | null;
  /** Group by which it shares the memory of a template; null: it has none. */
  readonly templateGroupId: number | null;
  /** Memory that it may lock, for encrypted guests; null: what the host allows everybody. */
  readonly lockedBytes?: number | null;
  /** It gets a network namespace of its own, whose files are in its run folder. */
  readonly hasNamespace: boolean;
  readonly node: NodeUser;
}

/** A process that becomes QEMU when it is told so, under the user of its machine. */
export async function spawnMachine(options: SpawnOptions): Promise<GatedProcess> {
  const { program, args, runDir, handles, userId, templateGroupId, hasNamespace } = options;
  const log = openLog(join(runDir, "qemu.log"), options);
  const { lockedBytes = null } = options;
  const devices = [deviceGroupId(), lockedBytes === null ? null : deviceGroupId(SEV_PATHS.device)];
  const groups = [...new Set([templateGroupId, ...devices])].filter((group) => group !== null);
  // The kernel counts encrypted memory, which never moves, as locked.
  const locking = lockedBytes === null ? [] : ["prlimit", `--memlock=${lockedBytes}:${lockedBytes}`];
  const namespace = hasNamespace ? inNamespace : [];
  try {
    const command = [...locking, ...asUser(userId, groups), ...namespace, program, ...args];
    return await spawnGated({ command, cwd: runDir, log, handles, listens: hasNamespace });
  } finally {
    closeSync(log);
  }
}

const inNamespace = ["unshare", "--user", "--map-root-user", "--net", "--mount", "/bin/sh", NAMESPACE_SCRIPT];

/** As root: under the machine's user, with no capability and no way to one. */
export function asUser(userId: number | null, groups: readonly number[]): string[] {
  if (userId === null) return [];
  return [
    "setpriv",
    `--reuid=${userId}`,
    `--regid=${userId}`,
    groups.length === 0 ? "--clear-groups" : `--groups=${groups.join(",")}`,
    ...["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"],
  ];
}

/** Opened by the helper: the machine writes to it and cannot replace it. */
export function openLog(path: string, { node, userId }: Pick<SpawnOptions, "node" | "userId">): number {
  const log = openSync(path, appending, 0o640);
  if (userId !== null) {
    fchownSync(log, node.userId, node.groupId);
    fchmodSync(log, 0o640);
  }
  return log;
}
