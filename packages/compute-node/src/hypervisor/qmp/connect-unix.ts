import { closeSync, constants, openSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { basename, dirname } from "node:path";

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
