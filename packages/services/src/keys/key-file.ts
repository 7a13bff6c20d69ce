import { open } from "node:fs/promises";
import { AccountError, decodeLowerHex, type LocalAccount } from "@twentysix/protocol";
import { AuthorityKeysError } from "./errors.ts";
import { localAccount } from "./local-account.ts";

const LINE = /^(?:(ETH|SOL)\s+)?(?:0x)?([0-9a-fA-F]{64})$/;
/** Whoever else may read or write the file could act as the authority. */
const OTHERS = 0o077;
const MAX_FILE_BYTES = 64 * 1024;

/**
 * The accounts of a key file: a private key of 64 hexadecimal digits a line, of Ethereum unless `SOL` stands before
 * it; empty lines and lines that begin with `#` are passed over. Nobody but its owner may reach the file.
 *
 * What is in a line is never repeated, in errors neither.
 *
 * @param flag that named the file, for errors.
 * @throws AuthorityKeysError AUTHORITY_KEYS_UNUSABLE
 */
export async function readKeyFile(path: string, flag?: string): Promise<readonly LocalAccount[]> {
  const accounts = (await readPrivateText(path, flag)).split(/\r?\n/).flatMap((line, index) => {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) return [];
    const match = LINE.exec(text);
    if (match === null) {
      throw unusable(
        `line ${index + 1} of ${path} is no private key: write 64 hexadecimal digits, after SOL for one of Solana`,
        flag,
      );
    }
    return [accountOf(match[1], match[2] ?? "", `line ${index + 1} of ${path}`, flag)];
  });
  if (accounts.length === 0) throw unusable(`${path} holds no key`, flag);
  return accounts;
}

async function readPrivateText(path: string, flag: string | undefined): Promise<string> {
  try {
    await using file = await open(path, "r");
    const { mode, size } = await file.stat();
    if (process.platform !== "win32" && (mode & OTHERS) !== 0) {
      throw unusable(`others than its owner can reach ${path}: run \`chmod 600 ${path}\``, flag);
    }
    if (size > MAX_FILE_BYTES) throw unusable(`${path} has ${size} bytes: that is no key file`, flag);
    return await file.readFile("utf8");
  } catch (error) {
    if (error instanceof AuthorityKeysError) throw error;
    throw unusable(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, flag);
  }
}

function accountOf(
  chain: string | undefined,
  hex: string,
  place: string,
  flag: string | undefined,
): LocalAccount {
  try {
    return localAccount(chain === "SOL" ? "SOL" : "ETH", decodeLowerHex(hex.toLowerCase()));
  } catch (error) {
    if (!(error instanceof AccountError)) throw error;
    throw unusable(`${place} is outside of the range of private keys`, flag);
  }
}

const unusable = (reason: string, flag: string | undefined): AuthorityKeysError =>
  new AuthorityKeysError("AUTHORITY_KEYS_UNUSABLE", reason, flag);
