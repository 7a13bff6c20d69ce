import { createPrivateKey, generateKeyPair } from "node:crypto";
import { chmod, mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { privateKeyFromRaw } from "@libp2p/crypto/keys";
import type { PrivateKey } from "@libp2p/interface";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { NetworkError } from "./errors.ts";

/**
 * What kind of key names a peer. The registration forms of the existing network take the names of RSA keys (`Qm…`)
 * alone; Ed25519 costs a small part of it for each message.
 */
export type PeerKeyKind = "rsa" | "ed25519";

/** The key by which other peers know this one. */
export interface PeerKey {
  readonly privateKey: PrivateKey;
  /** Its name: `Qm…` for RSA, `12D3…` for Ed25519. */
  readonly peerId: string;
}

/** The name that nodes of the existing network give it: PKCS #8, DER, not encrypted. Source: pyaleph `src/aleph/services/keys.py`. */
const KEY_FILE = "node-secret.pkcs8.der";

const generate = promisify(generateKeyPair);

/**
 * The key in a folder, made at the first start. An existing one is used whatever its kind, so that a node can move here
 * with its name.
 *
 * @throws NetworkError NETWORK_KEY_INVALID
 */
export async function loadPeerKey(folder: string, kind: PeerKeyKind): Promise<PeerKey> {
  const path = join(folder, KEY_FILE);
  const der = (await readKey(path)) ?? (await createKey(folder, path, kind));
  try {
    return peerKeyOf(der);
  } catch (cause) {
    const message = `${path} is no private key of RSA (2048 bits or more) or Ed25519 in PKCS #8 DER: restore it from a backup, or move it away to be another peer`;
    throw new NetworkError("NETWORK_KEY_INVALID", message, { cause });
  }
}

/** A key of RSA or Ed25519 out of PKCS #8 DER. Throws for anything else. */
export function peerKeyOf(der: Buffer): PeerKey {
  const privateKey = privateKeyOf(der);
  return { privateKey, peerId: peerIdFromPrivateKey(privateKey).toString() };
}

async function readKey(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

async function createKey(folder: string, path: string, kind: PeerKeyKind): Promise<Buffer> {
  const { privateKey } =
    kind === "rsa"
      ? await generate("rsa", { modulusLength: 2048, publicExponent: 65_537 })
      : await generate("ed25519");
  const der = privateKey.export({ format: "der", type: "pkcs8" });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(der);
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(temporary, 0o600);
  await rename(temporary, path);
  return der;
}

function privateKeyOf(der: Buffer): PrivateKey {
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  if (key.asymmetricKeyType === "rsa") return privateKeyFromRaw(key.export({ format: "der", type: "pkcs1" }));
  const { d, x, crv } = key.export({ format: "jwk" });
  if (crv !== "Ed25519" || d === undefined || x === undefined) throw new TypeError("another kind of key");
  return privateKeyFromRaw(Buffer.concat([Buffer.from(d, "base64url"), Buffer.from(x, "base64url")]));
}
