import { open } from "node:fs/promises";
import type { OptionKey } from "./config/index.ts";
import { SettingError } from "./setting-error.ts";

/** Whoever else may read the file could act as the account. */
const OTHERS = 0o077;
const MAX_FILE_BYTES = 4_096;
const KEY = /^(?:0x)?([0-9a-f]{64})$/;

/**
 * The private key of a file that nobody but its owner may reach: 64 lower-case hexadecimal digits. What is in the file is
 * never repeated, in errors neither.
 *
 * @throws SettingError with the code that is given
 */
export async function readPrivateKey(
  path: string,
  code: SettingError["code"],
  setting: OptionKey,
): Promise<string> {
  const unusable = (reason: string): SettingError => new SettingError(code, setting, `${path} ${reason}`);
  await using file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    throw unusable(`cannot be read (${error.code ?? error.message})`);
  });
  const { mode, size } = await file.stat();
  if (process.platform !== "win32" && (mode & OTHERS) !== 0) {
    throw unusable(`can be reached by others than its owner: run \`chmod 600 ${path}\``);
  }
  if (size > MAX_FILE_BYTES) throw unusable(`has ${size} bytes: that is no key file`);
  const key = KEY.exec((await file.readFile("utf8")).trim().toLowerCase())?.[1];
  if (key === undefined) throw unusable("holds no private key: write 64 hexadecimal digits");
  return key;
}
