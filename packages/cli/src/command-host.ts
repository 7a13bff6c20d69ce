import type { Readable, Writable } from "node:stream";
import type { Clock, Timers } from "@twentysix/platform";
import type { ComputeModule } from "./compute-module.ts";
import { EXIT } from "./exit-codes.ts";
import type { NodeModule } from "./node-module.ts";
import type { TestnetModule } from "./testnet-module.ts";

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
  readonly loadTestnet: () => Promise<TestnetModule>;
  readonly loadCompute: () => Promise<ComputeModule>;
  /** What runs this command line once more: the runtime with its flags, and the script. */
  readonly ownCommand: { readonly file: string; readonly args: readonly string[] };
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

/** The exit code for a failure with a code: one that names a setting is a bad value of that setting. */
export function exitCodeOf(error: unknown): number {
  return error instanceof Error && "setting" in error ? EXIT.usage : EXIT.failed;
}
