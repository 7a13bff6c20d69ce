import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { HypervisorError } from "../hypervisor/errors.ts";
import { identify, type ProcessIdentity } from "./host-processes.ts";

export interface GatedOptions {
  readonly command: readonly string[];
  readonly cwd: string;
  /** Of its standard output and errors. */
  readonly log: number;
  /** Handed over from number 3 on. */
  readonly handles: readonly (number | "pipe")[];
  /** It goes on to read words; otherwise its input is empty once it goes. */
  readonly listens: boolean;
}

/** A process that is to become a program, and waits. */
export interface GatedProcess {
  readonly identity: ProcessIdentity;
  readonly child: ChildProcess;
  /** Lets it become its program. Should the helper end without, it ends as well. */
  go(): void;
  /** One more word for a program that listens, the last one. */
  say(word: string): void;
  abandon(): void;
}

/**
 * Becomes the program when told so, with no right to dump its memory, and with files that others may not read. Without
 * a word (the helper is gone) it ends: nothing runs that is not written down.
 */
const gate = (input: string): string =>
  `umask 007; ulimit -c 0; read -r word && [ "$word" = go ] || exit 125; exec "$@"${input}`;
const ENVIRONMENT = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C" };

/** Starts a process in a session of its own, which neither the end of the helper nor a signal to its group ends. */
export async function spawnGated(options: GatedOptions): Promise<GatedProcess> {
  const { command, cwd, log, handles, listens } = options;
  const child = spawn("/bin/sh", ["-c", gate(listens ? "" : " </dev/null"), "gate", ...command], {
    cwd,
    detached: true,
    env: ENVIRONMENT,
    stdio: ["pipe", log, log, ...handles],
  });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
  } catch (cause) {
    throw new HypervisorError("START_FAILED", `a process could not be started: ${String(cause)}`, { cause });
  }
  const identity = child.pid === undefined ? null : identify(child.pid);
  const input = child.stdin;
  if (identity === null || input === null)
    throw new HypervisorError("START_FAILED", "its process ended at once");
  // It may be gone already: its end is told by the process, not by the pipe.
  input.on("error", () => undefined);
  child.unref();
  return {
    identity,
    child,
    go: () => void (listens ? input.write("go\n") : input.end("go\n")),
    say: (word) => void input.end(`${word}\n`),
    abandon: () => void input.end(),
  };
}

/** What a process writes into a pipe that it was given. */
export function pipeOf({ child }: GatedProcess, number: number): Readable {
  const stream = child.stdio[number];
  if (stream === null || stream === undefined || !("read" in stream))
    throw new RangeError(`${number} is no pipe`);
  return stream;
}
