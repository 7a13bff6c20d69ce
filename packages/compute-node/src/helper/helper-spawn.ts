import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { recordsFolderOf } from "./helper-folders.ts";
import { rotateLog, tailOf } from "./log-files.ts";

/** How the helper is started where none answers. */
export interface HelperCommand {
  readonly command: string;
  readonly args: readonly string[];
}

const SHOWN_LOG_BYTES = 500;

/** Starts the helper in a session of its own; `failure` says why it ended, once it has. */
export function spawnHelper(dir: string, { command, args }: HelperCommand): { failure(): string | null } {
  const folder = recordsFolderOf(dir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, "helper.log");
  rotateLog(path);
  const log = openSync(path, "a", 0o600);
  let failure: string | null = null;
  try {
    const child = spawn(command, args, { cwd: "/", detached: true, stdio: ["ignore", log, log] });
    child.once("error", (error) => {
      failure = error.message;
    });
    child.once("exit", (code) => {
      failure = `it ended with code ${code}: ${tailOf(path, SHOWN_LOG_BYTES)}`;
    });
    child.unref();
  } finally {
    closeSync(log);
  }
  return { failure: () => failure };
}
