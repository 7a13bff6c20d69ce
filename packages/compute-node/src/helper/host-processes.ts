import { readFileSync } from "node:fs";

/** Which process it is: its id alone may be given to another one. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in ticks since the host booted; field 22 of `/proc/PID/stat`. */
  readonly startTicks: number;
}

/** The process that has this id now; null when there is none that lives. */
export function identify(pid: number): ProcessIdentity | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  // The name of the program, in brackets, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  const startTicks = Number(fields[19]);
  if (state === "Z" || state === "X" || !Number.isSafeInteger(startTicks)) return null;
  return { pid, startTicks };
}

export function isAlive({ pid, startTicks }: ProcessIdentity): boolean {
  return identify(pid)?.startTicks === startTicks;
}

/** Signals the process, unless it is gone or another one has its id. False: it was not signalled. */
export function signalProcess(identity: ProcessIdentity, signal: "SIGTERM" | "SIGKILL"): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Milliseconds since the host booted: no process, and no setting of the clock, changes it. */
export function uptimeMs(): number {
  return Math.round(Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1_000);
}

/** Changes with each boot of the host: what was recorded before is dead. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
