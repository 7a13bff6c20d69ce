import { closeSync, constants, openSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { basename, dirname } from "node:path";

/** Not yet, no longer, or not for long enough to take a connection: whoever listened there ended just then. */
const NOBODY_THERE: ReadonlySet<string | undefined> = new Set(["ENOENT", "ECONNREFUSED", "ECONNRESET"]);

/** Whether `connectUnix` failed because nobody listens there. */
export function isNobodyThere(error: unknown): boolean {
  return error instanceof Error && NOBODY_THERE.has((error as NodeJS.ErrnoException).code);
}

/**
 * Connects to a unix socket. The path may be of any length: the kernel takes 107 bytes, so the folder is opened and the
 * socket named through it.
 */
export function connectUnix(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
    const socket = connect(`/proc/self/fd/${folder}/${basename(path)}`);
    const done = (): void => {
      closeSync(folder);
      socket.removeListener("error", fail);
    };
    const fail = (error: Error): void => {
      done();
      reject(error);
    };
    socket.once("error", fail);
    socket.once("connect", () => {
      done();
      resolve(socket);
    });
  });
}
