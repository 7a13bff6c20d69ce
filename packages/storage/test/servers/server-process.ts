import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Whether it answers. */
  readonly isReady: () => Promise<boolean>;
}

const START_TIMEOUT_MS = 60_000;

/** A server of somebody else that runs for a test. */
export class ServerProcess implements AsyncDisposable {
  readonly #command: ServerCommand;
  #child: ChildProcess | undefined;
  #errors = "";

  constructor(command: ServerCommand) {
    this.#command = command;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const { program, args, environment, isReady } = this.#command;
    const child = spawn(program, args, {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child = child;
    child.stderr.on("data", (bytes) => {
      this.#errors = `${this.#errors}${bytes}`.slice(-4_000);
    });
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await isReady().catch(() => false))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`${program} did not start: ${this.#errors}`);
      }
      await sleep(50);
    }
  }

  /** The process runs no further instruction. */
  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  /** Keeps its connections open and answers nothing, until `resume`. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
