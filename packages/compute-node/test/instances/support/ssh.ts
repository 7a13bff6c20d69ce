import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { runTool } from "../../../src/processes/run-tool.ts";

const run = promisify(execFile);

/** A key of an owner. */
export interface SshKey {
  readonly path: string;
  readonly publicKey: string;
}

export async function createSshKey(folder: string, signal: AbortSignal): Promise<SshKey> {
  const path = join(folder, "id_ed25519");
  await runTool("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path], { signal });
  return { path, publicKey: (await readFile(`${path}.pub`, "utf8")).trim() };
}

export interface SshTarget {
  readonly host: string;
  readonly port: number;
  readonly key: SshKey;
}

/** Runs a command as root of a guest. @throws what ssh says */
export async function ssh({ host, port, key }: SshTarget, command: string): Promise<string> {
  const options = [
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "ConnectTimeout=20",
    "BatchMode=yes",
  ];
  const flags = ["-i", key.path, "-p", String(port), "-q", ...options.flatMap((option) => ["-o", option])];
  const { stdout } = await run("ssh", [...flags, `root@${host}`, command], { timeout: 90_000 });
  return stdout;
}

/** The same as soon as the guest answers. */
export async function sshOnceUp(target: SshTarget, command: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    try {
      return await ssh(target, command);
    } catch (error) {
      if (signal.aborted) throw error;
      await sleep(1_000);
    }
  }
}
