import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Target } from "./attack.ts";

const SCRIPT = new URL("./hostile.ts", import.meta.url).pathname;

export interface HostileProcess {
  readonly pid: number;
  /** What it got rid of since it began. */
  sent(): { readonly pieces: number; readonly bytes: number };
  kill(): Promise<void>;
}

/** Starts an attacker and sets it loose once it has prepared itself. */
export async function hostileProcess(
  attack: string,
  target: Omit<Target, "count" | "ready">,
): Promise<HostileProcess> {
  const child: ChildProcess = spawn(process.execPath, [SCRIPT, attack, JSON.stringify(target)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let sent = { pieces: 0, bytes: 0 };
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("the attacker has no pipes");
  await new Promise<void>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the attacker ended with ${code}`)));
    createInterface({ input: stdout }).on("line", (line) => {
      if (line === "ready") resolve();
      else sent = JSON.parse(line) as typeof sent;
    });
  });
  stdin.write("go\n");
  return {
    pid: child.pid ?? 0,
    sent: () => sent,
    kill: async () => {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}
