import { chmod, writeFile } from "node:fs/promises";

/** Writes a private key so that nobody else reaches it: nodes take no other key file. */
export async function writeKeyFile(path: string, privateKey: string): Promise<void> {
  await writeFile(path, `${privateKey}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
}
