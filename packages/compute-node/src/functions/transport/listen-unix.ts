import { chmodSync, closeSync, constants, openSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { basename, dirname } from "node:path";

/**
 * Listens on a unix socket that every user of this host who reaches its folder may connect to, in place of what lies
 * there. The path may be of any length: the kernel takes 107 bytes, so the folder is opened and stays open with the
 * server, which removes its socket through it.
 */
export async function listenUnix(server: Server, path: string): Promise<void> {
  rmSync(path, { force: true });
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  server.once("close", () => closeSync(folder));
  try {
    await new Promise<void>((listening, failed) => {
      server.once("error", failed);
      server.listen(`/proc/self/fd/${folder}/${basename(path)}`, () => {
        server.off("error", failed);
        listening();
      });
    });
  } catch (error) {
    closeSync(folder);
    throw error;
  }
  chmodSync(path, 0o666);
}
