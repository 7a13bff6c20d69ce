import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createEvmAccount,
  decodeLowerHex,
  encodeHex,
  type LocalAccount,
  nobleSecp256k1Signer,
} from "@twentysix/protocol";
import { makeDurableFolder, syncFolder } from "./durable-folder.ts";
import { inUsableDataDir } from "./usable-data-dir.ts";

const KEY_FILE = "node.key";
const PRIVATE_KEY = /^[0-9a-f]{64}$/;

/** The key file of the node is there and cannot be read as a key. */
export class IdentityError extends Error {
  readonly code = "NODE_KEY_INVALID";

  constructor(path: string) {
    super(
      `${path} is not a private key of 64 hexadecimal digits: restore it from a backup, or move it away to get a new identity`,
    );
  }
}

/** The account that the node signs with: kept in the data folder, made at the first start. */
export function loadIdentity(dataDir: string): LocalAccount {
  return createEvmAccount({ privateKey: loadPrivateKey(dataDir) });
}

/** The same account with its public key, for programs that ask whose signature they get. */
export function loadSigner(dataDir: string): {
  readonly account: LocalAccount;
  readonly publicKeyHex: string;
} {
  const privateKey = loadPrivateKey(dataDir);
  const publicKeyHex = encodeHex(nobleSecp256k1Signer.publicKey(privateKey));
  return { account: createEvmAccount({ privateKey }), publicKeyHex };
}

function loadPrivateKey(dataDir: string): Uint8Array {
  const folder = join(dataDir, "keys");
  const path = join(folder, KEY_FILE);
  inUsableDataDir(dataDir, () => makeDurableFolder(folder, 0o700));
  const text = readKey(path) ?? createKey(folder, path);
  if (!PRIVATE_KEY.test(text)) throw new IdentityError(path);
  return decodeLowerHex(text);
}

function readKey(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

function createKey(folder: string, path: string): string {
  const text = encodeHex(randomBytes(32));
  const temporary = join(folder, `${KEY_FILE}.new`);
  writeFileSync(temporary, `${text}\n`, { mode: 0o600, flush: true });
  renameSync(temporary, path);
  syncFolder(folder);
  return text;
}
