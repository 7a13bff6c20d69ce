import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { TestnetFacts } from "../../src/index.ts";

const COMMAND = fileURLToPath(new URL("../../../cli/bin/twentysix.mjs", import.meta.url));

export interface UpProcess extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly stdout: string;
  readonly stderr: string;
  readonly ended: Promise<{ readonly exitCode: number | null; readonly signal: string | null }>;
  /** The facts of its line of JSON. */
  ready(): Promise<TestnetFacts>;
}

/** `twentysix up` as a user starts it, or as a child of a shell that does. */
export function startUp(flags: readonly string[], { underShell = false } = {}): UpProcess {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(TWENTYSIX_|npm_lifecycle_)/.test(name),
  );
  const command = [process.execPath, COMMAND, "up", ...flags];
  // The command after `;` keeps the shell from becoming the program itself.
  const [file = "", ...args] = underShell ? ["/bin/sh", "-c", '"$0" "$@"; exit $?', ...command] : command;
  const child = spawn(file, args, {
    env: Object.fromEntries(inherited),
    stdio: ["ignore", "pipe", "pipe"],
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
    async ready() {
      const end = ended.then(() => {
        throw new Error(`ended before it was ready: ${output.stderr}`);
      });
      const line = (async () => {
        while (!output.stdout.includes("\n")) await Promise.race([once(child.stdout, "data"), end]);
      })();
      await Promise.race([line, end]);
      return JSON.parse(output.stdout) as TestnetFacts;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** A folder whose processes are told by its name, and ended with it. */
export function testFolder(): { readonly path: string } & AsyncDisposable {
  const folder = mkdtempSync(join(tmpdir(), "twentysix-up-"));
  return {
    path: folder,
    async [Symbol.asyncDispose]() {
      while (processesOf(folder).length > 0) await sleep(50);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The processes whose command line names the folder, from the table of the system. */
export function processesOf(folder: string): readonly string[] {
  const table = execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" });
  return table.split("\n").filter((line) => line.includes(folder));
}

/** Milliseconds until no process of the folder is left. */
export async function goneAfterMs(folder: string): Promise<number> {
  const startMs = performance.now();
  while (processesOf(folder).length > 0) await sleep(50);
  return performance.now() - startMs;
}

/** The first of so many ports in a row on which nothing listens. */
export async function freeBasePort(count: number): Promise<number> {
  for (;;) {
    const base = 20_000 + Math.floor(Math.random() * 10_000);
    const isFree = await Promise.all(Array.from({ length: count }, (_, index) => canListen(base + index)));
    if (isFree.every((free) => free)) return base;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
