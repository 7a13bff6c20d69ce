import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A command under test, as a process of its own. */
export interface CliProcess extends AsyncDisposable {
  readonly process: ChildProcessWithoutNullStreams;
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves once the stream has shown the text; rejects when the process ends without it. */
  shows(stream: "stdout" | "stderr", text: string): Promise<void>;
  /** The end of the process, once its output is closed too: nobody else holds it any more. */
  readonly ended: Promise<{ readonly exitCode: number | null; readonly signal: string | null }>;
}

export interface CliOptions {
  readonly script?: "stub-cli.ts" | "stub-launcher.mjs" | "../../bin/twentysix.mjs";
  readonly behaviour?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  /** Start it as npm does: by a shell that does not pass signals on; or by such a shell below another process. */
  readonly underShell?: true | "of npm";
}

export function startCli(args: readonly string[], options: CliOptions = {}): CliProcess {
  const script = fileURLToPath(new URL(`fixtures/${options.script ?? "stub-cli.ts"}`, import.meta.url));
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(TWENTYSIX_|npm_lifecycle_)/.test(name),
  );
  // The command after `;` keeps the shell from becoming the program itself.
  const shell = ["/bin/sh", "-c", '"$0" "$@"; exit $?'] as const;
  const [command, ...leading] =
    options.underShell === undefined
      ? [process.execPath]
      : [...(options.underShell === "of npm" ? shell : []), ...shell, process.execPath];
  const child = spawn(command ?? process.execPath, [...leading, script, ...args], {
    cwd: options.workingDir,
    env: {
      ...Object.fromEntries(inherited),
      TWENTYSIX_TEST_BEHAVIOUR: options.behaviour ?? "",
      ...(options.underShell ? { npm_lifecycle_event: "start" } : {}),
      ...options.environment,
    },
  });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
    });
  }
  const ended = once(child, "close").then(([exitCode, signal]) => ({ exitCode, signal }));
  return {
    process: child,
    ended,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    shows(stream, text) {
      return new Promise((resolve, reject) => {
        const check = (): void => {
          if (output[stream].includes(text)) resolve();
        };
        child[stream].on("data", check);
        ended.then(() => reject(new Error(`ended without showing ${text}: ${output.stderr}`)));
        check();
      });
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Runs a command to its end. */
export async function runCli(
  args: readonly string[],
  options: CliOptions & { readonly input?: string } = {},
) {
  await using cli = startCli(args, options);
  cli.process.stdin.end(options.input ?? "");
  const { exitCode } = await cli.ended;
  return { exitCode, stdout: cli.stdout, stderr: cli.stderr };
}
