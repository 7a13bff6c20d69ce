import { createPublicKey, type KeyObject } from "node:crypto";
import { type CryptoProvider, recoverEvmSigner, verifySolanaBytes } from "@twentysix/protocol";
import { ControlError } from "../errors.ts";
import { parseDate } from "../http/dates.ts";
import { decodeHex, objectOf, textOf } from "./auth-packet.ts";

/** A wallet lends its name to a key for some time. */
export interface SignedPubKey {
  readonly address: string;
  readonly chain: "ETH" | "SOL";
  readonly key: KeyObject;
  /** x and y of the key: what tells it from others. */
  readonly keyId: string;
  /** Whom the wallet had in mind; null: it did not say. Clients reuse one for several nodes. */
  readonly domain: string | null;
}

/**
 * Verifies `X-SignedPubKey`: that the wallet signed the key, and that this has not expired.
 *
 * Source: aleph-vm `views/authentication.py`.
 *
 * @throws ControlError 400, 401
 */
export function verifySignedPubKey(packet: unknown, crypto: CryptoProvider, nowMs: number): SignedPubKey {
  const { payload, signature } = readPacket(packet);
  const claims = readClaims(payload);
  if (claims.expiresAtMs <= nowMs) throw new ControlError(401, "Token expired");
  if (!isSignedByWallet(claims, payload, signature, crypto)) throw new ControlError(401, "Invalid signature");
  return claims;
}

interface Packet {
  /** The UTF-8 JSON text that the wallet has seen. */
  readonly payload: Buffer;
  /** Hexadecimal. */
  readonly signature: string;
}

function readPacket(value: unknown): Packet {
  const packet = objectOf(value);
  const payload = decodeHex(textOf(packet?.payload));
  const signature = textOf(packet?.signature);
  if (payload === null || signature === null) throw invalid();
  return { payload, signature };
}

function readClaims(payload: Buffer): SignedPubKey & { readonly expiresAtMs: number } {
  const claims = objectOf(parseJson(payload));
  const jwk = objectOf(claims?.pubkey);
  const address = textOf(claims?.address);
  const expires = textOf(claims?.expires);
  const expiresAtMs = expires === null ? null : parseDate(expires, { needsZone: false });
  const chain = claims?.chain ?? "ETH";
  if (jwk === null || address === null || expiresAtMs === null) throw invalid();
  if (chain !== "ETH" && chain !== "SOL") throw invalid();
  const { x, y } = jwk;
  const key = readKey(jwk);
  return {
    address,
    chain,
    key,
    keyId: `${String(x)}.${String(y)}`,
    expiresAtMs,
    domain: textOf(claims?.domain),
  };
}

function readKey({ kty, crv, x, y }: Readonly<Record<string, unknown>>): KeyObject {
  if (kty !== "EC" || crv !== "P-256" || typeof x !== "string" || typeof y !== "string") throw invalid();
  try {
    return createPublicKey({ key: { kty, crv, x, y }, format: "jwk" });
  } catch {
    // No point of the curve.
    throw invalid();
  }
}

function isSignedByWallet(
  { chain, address }: Pick<SignedPubKey, "chain" | "address">,
  payload: Buffer,
  signature: string,
  crypto: CryptoProvider,
): boolean {
  if (chain === "ETH") return recoverEvmSigner(payload, signature, crypto) === address.toLowerCase();
  // Solana wallets are shown the hexadecimal text, and sign that.
  const bytes = decodeHex(signature.replace(/^0x/i, ""));
  const shown = Buffer.from(payload.toString("hex"), "ascii");
  return bytes !== null && verifySolanaBytes(shown, bytes, address, crypto);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw invalid();
  }
}

function invalid(): ControlError {
  return new ControlError(400, "Invalid X-SignedPubKey data");
}
