import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where a compute node keeps what. */
export interface ComputeFolders {
  readonly dir: string;
  readonly database: string;
  readonly vms: string;
  readonly cache: string;
  readonly images: string;
  readonly backups: string;
  readonly nodeHash: string;
  readonly loginToken: string;
  readonly linkSecret: string;
}

export function computeFolders(dataDir: string, imagesDir: string | null): ComputeFolders {
  const dir = join(dataDir, "compute");
  return {
    dir,
    database: join(dir, "executions.sqlite3"),
    vms: join(dir, "vms"),
    cache: join(dir, "cache"),
    images: imagesDir ?? join(dir, "images"),
    backups: join(dir, "backups"),
    nodeHash: join(dir, "node-hash"),
    loginToken: join(dir, "login_token"),
    linkSecret: join(dir, "link-secret"),
  };
}

/** Machines run as users of their own: they may pass through this folder, and see nothing in it. */
export async function makeComputeFolders({ dir, vms, cache, backups }: ComputeFolders): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o711 });
  await chmod(dir, 0o711);
  for (const folder of [vms, cache]) await mkdir(folder, { recursive: true, mode: 0o711 });
  await mkdir(backups, { recursive: true, mode: 0o700 });
}

/** Another one with each start; the operator reads it from the disk. */
export async function writeLoginToken(path: string): Promise<string> {
  const token = randomBytes(32).toString("base64url");
  await rm(path, { force: true });
  await writeFile(path, token, { mode: 0o400 });
  return token;
}

/** The same after each start: links to backups stay good. */
export async function keepLinkSecret(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const secret = randomBytes(32);
  await writeFile(`${path}.new`, secret, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return secret;
}
