import { type ChildProcess, spawn } from "node:child_process";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { PlatformError, type Timers } from "@twentysix/platform";
import { TestnetError } from "../errors.ts";

export interface PartOptions {
  /** As it is told of: `core-2`. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Gets what the process writes on standard error; begun anew at every start. */
  readonly logFile: string;
  readonly timers: Pick<Timers, "schedule" | "withTimeout">;
}

/** How a process ended, in words: `exit code 1`, `SIGKILL`. */
export type Ending = string;

/** A process of the network. It ends by itself when this one does, by the channel between them. */
export interface PartProcess {
  readonly name: string;
  readonly pid: number;
  readonly ended: Promise<Ending>;
  /** null while it runs. */
  readonly ending: Ending | null;
  /**
   * The first line of standard output for which `read` gives something.
   *
   * @throws TestnetError TESTNET_PART_ENDED, TESTNET_NOT_READY
   */
  says<Value>(read: (line: string) => Value | undefined, signal: AbortSignal): Promise<Value>;
  /** Asks it to end, and makes it end when it does not. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 120_000;
/** A node takes 4.5 s at most for a clean stop. */
const STOP_TIMEOUT_MS = 6_000;
const KEPT_LINES = 100;

/** Starts a process of the network. */
export async function startPart(options: PartOptions): Promise<PartProcess> {
  await mkdir(dirname(options.logFile), { recursive: true });
  const log = await open(options.logFile, "w", 0o600);
  try {
    return await launch(options, log);
  } finally {
    await log.close();
  }
}

async function launch(options: PartOptions, log: FileHandle): Promise<PartProcess> {
  const { name, file, args, environment } = options;
  // In a group of its own: what is typed into the terminal is for the command, which stops all in order.
  const child = spawn(file, args, {
    env: environment,
    detached: true,
    stdio: ["ignore", "pipe", log.fd, "ipc"],
  });
  const ended = new Promise<Ending>((resolve) => {
    child.once("exit", (exitCode, signal) => {
      // Whoever kills a guard leaves what it guards.
      killGroup(child);
      resolve(signal ?? `exit code ${exitCode}`);
    });
    child.once("error", (error) => resolve(error.message));
  });
  let ending: Ending | null = null;
  ended.then((how) => {
    ending = how;
  });
  const lines = readLines(child);
  const { pid } = child;
  if (pid === undefined) throw partEnded(options, await ended);
  return {
    name,
    pid,
    ended,
    get ending() {
      return ending;
    },
    says: (read, signal) => lineOf(options, lines, read, ended, signal),
    stop: () => stop(child, ended, options.timers),
  };
}

/** Lines of standard output, the first of them for whoever comes later. */
interface Lines {
  readonly seen: readonly string[];
  onLine(listener: (line: string) => void): void;
}

function readLines(child: ChildProcess): Lines {
  const seen: string[] = [];
  const listeners: ((line: string) => void)[] = [];
  // Read to the end of the process: a full pipe would stop it.
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (seen.length < KEPT_LINES) seen.push(line);
      for (const listener of listeners) listener(line);
    });
  }
  return { seen, onLine: (listener) => void listeners.push(listener) };
}

function lineOf<Value>(
  options: PartOptions,
  lines: Lines,
  read: (line: string) => Value | undefined,
  ended: Promise<Ending>,
  signal: AbortSignal,
): Promise<Value> {
  const found = new Promise<Value>((resolve) => {
    const look = (line: string): void => {
      const value = read(line);
      if (value !== undefined) resolve(value);
    };
    lines.onLine(look);
    for (const line of lines.seen) look(line);
  });
  const failed = ended.then((how) => {
    throw partEnded(options, how);
  });
  const { name, logFile, timers } = options;
  const wait = timers.withTimeout(START_TIMEOUT_MS, () => Promise.race([found, failed]), signal);
  return wait.catch((error: unknown) => {
    if (!(error instanceof PlatformError) || error.code !== "TIMEOUT") throw error;
    const message = `${name} is not there after ${START_TIMEOUT_MS / 1_000} s: see ${logFile}`;
    throw new TestnetError("TESTNET_NOT_READY", message);
  });
}

function partEnded({ name, logFile }: PartOptions, how: Ending): TestnetError {
  return new TestnetError("TESTNET_PART_ENDED", `${name} ended before it was ready (${how}): see ${logFile}`);
}

async function stop(
  child: ChildProcess,
  ended: Promise<Ending>,
  timers: PartOptions["timers"],
): Promise<void> {
  child.kill("SIGTERM");
  const cancel = timers.schedule(STOP_TIMEOUT_MS, () => child.kill("SIGKILL"));
  await ended;
  cancel();
}

/** What a process that has ended had started, and has left behind. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined || process.platform === "win32") return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
