import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const COMMAND = fileURLToPath(new URL("../../../cli/bin/twentysix.mjs", import.meta.url));

export interface StartOptions {
  /** Flags beside the data folder, the port and the log level. */
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A node that runs as a process of its own, as a user starts it. */
export interface NodeProcess extends AsyncDisposable {
  readonly apiUrl: string;
  readonly process: ChildProcessWithoutNullStreams;
  readonly stderr: string;
  /** The end of the process. */
  readonly ended: Promise<Ending>;
  /** SIGKILL: the process runs no further instruction. */
  kill(): Promise<void>;
  /** SIGTERM, as a service manager stops it. */
  stop(): Promise<Ending>;
}

export interface Ending {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface Output extends Ending {
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a node over a data folder and waits for its line `ready {...}`. */
export async function startNode(dataDir: string, options: StartOptions = {}): Promise<NodeProcess> {
  const args = [
    "node",
    "--data-dir",
    dataDir,
    "--api-port",
    "0",
    "--p2p-port",
    "none",
    "--roles",
    "ccn",
    "--log-level",
    "warn",
  ];
  const running = launch([...args, ...(options.flags ?? [])], options.environment);
  const apiUrl = await new Promise<string>((resolve, reject) => {
    running.process.stdout.on("data", () => {
      const ready = /^ready (\{.*\})$/m.exec(running.output.stdout);
      if (ready?.[1] !== undefined) resolve((JSON.parse(ready[1]) as { api: string }).api);
    });
    running.ended.then(() =>
      reject(new Error(`The node ended before it was ready: ${running.output.stderr}`)),
    );
  });
  return {
    apiUrl,
    process: running.process,
    ended: running.ended,
    get stderr() {
      return running.output.stderr;
    },
    async kill() {
      running.process.kill("SIGKILL");
      await running.ended;
    },
    async stop() {
      running.process.kill("SIGTERM");
      return await running.ended;
    },
    async [Symbol.asyncDispose]() {
      running.process.kill("SIGKILL");
      await running.ended;
    },
  };
}

/** Runs `twentysix` to its end. */
export async function runCommand(
  args: readonly string[],
  options: {
    readonly input?: string | Uint8Array;
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): Promise<Output> {
  const running = launch(args, options.environment);
  running.process.stdin.on("error", () => undefined); // The command may end without having read everything.
  running.process.stdin.end(options.input ?? "");
  return { ...(await running.ended), ...running.output };
}

/** Starts `twentysix` with its standard input open. */
export function startCommand(args: readonly string[]): Running {
  return launch(args, {});
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly root: string;
  readonly count: number;
  readonly problems: readonly string[];
}

/** `twentysix verify` of a data folder that no node runs on. */
export async function verify(dataDir: string, flags: readonly string[] = []): Promise<VerifyReport> {
  const args = ["verify", "--data-dir", dataDir, "--log-level", "error", ...flags];
  const { stdout, stderr } = await runCommand(args);
  if (!stdout.startsWith("{")) throw new Error(`verify gave no report: ${stderr}`);
  return JSON.parse(stdout) as VerifyReport;
}

export interface Running {
  readonly process: ChildProcessWithoutNullStreams;
  readonly output: { stdout: string; stderr: string };
  readonly ended: Promise<Ending>;
}

function launch(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("TWENTYSIX_"));
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", COMMAND, ...args], {
    env: { ...Object.fromEntries(inherited), ...environment },
  });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
    });
  }
  const ended = once(child, "close").then(([exitCode, signal]) => ({ exitCode, signal }));
  return { process: child, output, ended };
}
