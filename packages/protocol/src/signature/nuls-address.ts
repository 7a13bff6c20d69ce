import { base58 } from "@scure/base";
import type { CryptoProvider } from "./crypto-provider.ts";
import { keyHash160 } from "./key-hash.ts";
import { decodeBase58 } from "./text-decoding.ts";

const ADDRESS_TYPE = 1;
const BODY_SIZE_BYTES = 23;

/** Base58 of chain id (little endian), type 1, key hash, and the xor of all of them: the address on NULS 1. */
export function nulsAddress(
  publicKey: Uint8Array,
  chainId: number,
  crypto: Pick<CryptoProvider, "sha256">,
): string {
  const bytes = new Uint8Array(BODY_SIZE_BYTES + 1);
  bytes[0] = chainId & 0xff;
  bytes[1] = (chainId >> 8) & 0xff;
  bytes[2] = ADDRESS_TYPE;
  bytes.set(keyHash160(publicKey, crypto), 3);
  bytes[BODY_SIZE_BYTES] = bytes.reduce((xor, byte) => xor ^ byte, 0);
  return base58.encode(bytes);
}

/** The 16 bits of the chain id inside a NULS 1 address, or null. The address is not checked further. */
export function nulsChainId(address: string): number | null {
  const bytes = decodeBase58(address, BODY_SIZE_BYTES + 1);
  return bytes === null ? null : (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
}

/** The networks of NULS 2: what stands before the base58 part, its last letter being a separator. */
const NULS2_PREFIXES = { 1: "NULSd", 2: "tNULSe" } as const;
/** 1: main network, 2: test network. */
export type Nuls2ChainId = keyof typeof NULS2_PREFIXES;

/** The address of a compressed public key on NULS 2. */
export function nuls2Address(
  publicKey: Uint8Array,
  chainId: Nuls2ChainId,
  crypto: Pick<CryptoProvider, "sha256">,
): string {
  return NULS2_PREFIXES[chainId] + nulsAddress(publicKey, chainId, crypto);
}

/** The network that the prefix of a NULS 2 address names, or null. */
export function nuls2ChainId(address: string): Nuls2ChainId | null {
  if (address.startsWith(NULS2_PREFIXES[1])) return 1;
  return address.startsWith(NULS2_PREFIXES[2]) ? 2 : null;
}
