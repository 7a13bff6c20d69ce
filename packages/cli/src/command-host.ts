import type { Readable, Writable } from "node:stream";
import type { Clock, Timers } from "@twentysix/platform";
import type { NodeModule } from "./node-module.ts";

/** What a command meets of the world outside. */
export interface CommandHost {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDir: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly loadNode: () => Promise<NodeModule>;
  /** Ends the process at once. */
  readonly exit: (exitCode: number) => never;
}

/**
 * One line for a failure that says by its code what it is (a port in use, a disk that is full). Anything
 * without a code is a defect of the program: it is not made polite, the caller lets it crash with its stack.
 */
export function codedMessage(error: unknown): string | undefined {
  if (!(error instanceof Error) || typeof (error as { code?: unknown }).code !== "string") return undefined;
  return error.message.replaceAll(/\s*\n\s*/g, " ");
}
