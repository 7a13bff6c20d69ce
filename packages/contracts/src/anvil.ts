import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import type { Timers } from "@twentysix/platform";

export interface AnvilOptions {
  readonly timers: Pick<Timers, "withTimeout" | "schedule">;
  /** Port on 127.0.0.1; 0, the default, takes any free one. */
  readonly port?: number;
  /** EIP-155 id (default 31337). */
  readonly chainId?: number;
  /** Seconds between blocks; without it every transaction makes one. */
  readonly blockTimeSeconds?: number;
  /** File in which the state of the chain outlives the process. */
  readonly stateFile?: string;
  readonly signal?: AbortSignal;
}

/** A chain of its own on this machine, for tests and private networks. */
export interface Anvil extends AsyncDisposable {
  readonly rpcUrl: string;
  readonly pid: number;
  /** Resolves when the process has ended, by whatever. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** Anvil is not there for this machine, or did not start. */
export class AnvilError extends Error {
  readonly code: "ANVIL_NOT_INSTALLED" | "ANVIL_FAILED";

  constructor(code: "ANVIL_NOT_INSTALLED" | "ANVIL_FAILED", message: string) {
    super(message);
    this.name = "AnvilError";
    this.code = code;
  }
}

/** Packages that carry the program, by `platform-arch` of Node. */
const PACKAGES: Readonly<Record<string, string>> = {
  "linux-x64": "@foundry-rs/anvil-linux-amd64",
  "linux-arm64": "@foundry-rs/anvil-linux-arm64",
  "darwin-x64": "@foundry-rs/anvil-darwin-amd64",
  "darwin-arm64": "@foundry-rs/anvil-darwin-arm64",
  "win32-x64": "@foundry-rs/anvil-win32-amd64",
};
const START_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 5_000;

/** Path of the program; null where no package carries it or that one is not installed. */
export function anvilPath(platform: string, architecture: string): string | null {
  const name = PACKAGES[`${platform}-${architecture}`];
  if (name === undefined) return null;
  try {
    const program = platform === "win32" ? "anvil.exe" : "anvil";
    return createRequire(import.meta.url).resolve(`${name}/bin/${program}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return null;
    throw error;
  }
}

/** Starts a chain and waits until it answers. @throws AnvilError */
export async function startAnvil(options: AnvilOptions): Promise<Anvil> {
  const { timers, port = 0, chainId = 31_337, signal } = options;
  const path = anvilPath(process.platform, process.arch);
  if (path === null) {
    const wanted = PACKAGES[`${process.platform}-${process.arch}`] ?? "a machine that it is made for";
    throw new AnvilError("ANVIL_NOT_INSTALLED", `anvil is not installed: it needs ${wanted}`);
  }
  const child = spawn(
    path,
    [
      ...["--host", "127.0.0.1", "--port", String(port), "--chain-id", String(chainId)],
      ...(options.blockTimeSeconds === undefined ? [] : ["--block-time", String(options.blockTimeSeconds)]),
      ...(options.stateFile === undefined ? [] : ["--state", options.stateFile]),
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => {
    said = `${said}${bytes}`.slice(-2_000);
  });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", (error) => {
      said = `${said}${error.message}`;
      resolve();
    });
  });
  const close = async (): Promise<void> => {
    child.kill("SIGTERM");
    const kill = timers.schedule(END_TIMEOUT_MS, () => child.kill("SIGKILL"));
    await ended;
    kill();
  };
  const listening = new Promise<string>((resolve) => {
    // Read to the end of the process: a full pipe would stop it.
    createInterface({ input: child.stdout }).on("line", (line) => {
      const address = /^Listening on (\S+)$/.exec(line.trim())?.[1];
      if (address !== undefined) resolve(address);
    });
  });
  try {
    const failed = ended.then(() => {
      throw new AnvilError("ANVIL_FAILED", `anvil ended before it listened: ${said.trim()}`);
    });
    const address = await timers.withTimeout(
      START_TIMEOUT_MS,
      () => Promise.race([listening, failed]),
      signal,
    );
    const { pid } = child;
    if (pid === undefined) throw new AnvilError("ANVIL_FAILED", "anvil has no process");
    return { rpcUrl: `http://${address}`, pid, ended, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
