import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/** The product as a user runs it: the command, in a process of its own. */
const MAIN = new URL("../packages/cli/bin/twentysix.mjs", import.meta.url).pathname;
const SAMPLE_MS = 100;
const CLOCK_TICKS_PER_SECOND = 100;

export interface Usage {
  readonly peakRssMb: number;
  readonly cpuSeconds: number;
}

export interface FinishedCommand extends Usage {
  readonly stdout: string;
  readonly seconds: number;
}

/** Runs a command to its end. */
export async function runCommand(args: readonly string[]): Promise<FinishedCommand> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const usage = watchUsage(child);
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`twentysix ${args.join(" ")} ended with code ${code}`);
  return { stdout, seconds: (performance.now() - startedMs) / 1000, ...usage() };
}

export interface StartedNode {
  readonly apiUrl: string;
  readonly peerAddresses: readonly string[];
  readonly pid: number;
  readonly readyMs: number;
  /** Figures since the start. */
  usage(): Usage;
  /** SIGKILL. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a node; resolves when it has printed that it is ready.
 *
 * @param within what the command has to begin with, to run somewhere else
 */
export async function startNodeProcess(
  dataDir: string,
  flags: readonly string[] = [],
  within: readonly string[] = [],
): Promise<StartedNode> {
  const startedMs = performance.now();
  const args = [
    "node",
    "--data-dir",
    dataDir,
    "--api-port",
    "0",
    "--p2p-port",
    "0",
    "--roles",
    "ccn",
    "--log-level",
    "warn",
    ...flags,
  ];
  const [command = "", ...rest] = [...within, process.execPath, MAIN, ...args];
  const child = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"] });
  const usage = watchUsage(child);
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const readyMs = performance.now() - startedMs;
  const { api, p2p } = JSON.parse(line.replace(/^ready /, "")) as { api: string; p2p: readonly string[] };
  return {
    apiUrl: api,
    peerAddresses: p2p,
    pid: child.pid ?? 0,
    readyMs,
    usage,
    kill: async () => {
      const closed = once(child, "close");
      child.kill("SIGKILL");
      await closed;
    },
    stop: async () => {
      const closed = once(child, "close");
      child.kill("SIGTERM");
      await closed;
    },
  };
}

/** Resident memory of a process now. */
export function rssMb(pid: number): number {
  return kibOf(readFileSync(`/proc/${pid}/status`, "utf8"), "VmRSS") / 1024;
}

function watchUsage(child: ChildProcess): () => Usage {
  let usage: Usage = { peakRssMb: 0, cpuSeconds: 0 };
  const look = (): void => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      const stat = readFileSync(`/proc/${child.pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const ticks = Number(fields[11]) + Number(fields[12]);
      // A process that has ended and is not waited for yet has no memory any more.
      usage = {
        peakRssMb: Math.max(usage.peakRssMb, kibOf(status, "VmHWM") / 1024, kibOf(status, "VmRSS") / 1024),
        cpuSeconds: Math.max(usage.cpuSeconds, ticks / CLOCK_TICKS_PER_SECOND),
      };
    } catch (error) {
      if (!(error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH")))
        throw error;
    }
  };
  const timer = setInterval(look, SAMPLE_MS);
  child.once("exit", () => clearInterval(timer));
  return () => {
    look();
    return usage;
  };
}

function kibOf(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0);
}
