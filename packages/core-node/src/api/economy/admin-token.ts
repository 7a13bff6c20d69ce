import { createPublicKey, type KeyObject, verify } from "node:crypto";

/** A token is taken for this long, and this far ahead of the clock. */
const MAX_AGE_SECONDS = 300;
const MAX_AHEAD_SECONDS = 30;
const MAX_TOKEN_CHARACTERS = 1_024;

/** SubjectPublicKeyInfo of a compressed secp256k1 key, up to the key itself. */
const KEY_PREFIX = Buffer.from("3036301006072a8648ce3d020106052b8104000a032200", "hex");

/** The key that tokens are checked with. */
export function administrationKeyOf(compressedHex: string): KeyObject {
  const der = Buffer.concat([KEY_PREFIX, Buffer.from(compressedHex, "hex")]);
  return createPublicKey({ key: der, format: "der", type: "spki" });
}

/**
 * Does a token come from whoever holds the key, and is it fresh? It is the base64 of `<unix seconds>:<base64 of the
 * signature of these digits>`. Source: pyaleph `src/aleph/toolkit/ecdsa.py`.
 */
export function isTokenValid(token: string, key: KeyObject, nowSeconds: number): boolean {
  if (token.length > MAX_TOKEN_CHARACTERS) return false;
  const match = /^([0-9]{1,15}):([A-Za-z0-9+/]+=*)$/.exec(Buffer.from(token, "base64").toString("latin1"));
  const [, seconds = "", signature = ""] = match ?? [];
  if (match === null) return false;
  const age = nowSeconds - Number(seconds);
  if (age > MAX_AGE_SECONDS || age < -MAX_AHEAD_SECONDS) return false;
  return verify(
    "sha256",
    Buffer.from(seconds),
    { key, dsaEncoding: "der" },
    Buffer.from(signature, "base64"),
  );
}
