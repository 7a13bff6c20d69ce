import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { CHAIN_FAMILIES, type Chain, type SignatureFamily } from "../chains.ts";
import { parseAvalancheSignature } from "./avalanche.ts";
import { parseCosmosSignature } from "./cosmos.ts";
import { parseEvmSignature } from "./evm.ts";
import { parseNulsSignature } from "./nuls.ts";
import { parseNuls2Signature } from "./nuls2.ts";
import { parseSolanaSignature } from "./solana.ts";
import { parseSubstrateSignature } from "./substrate.ts";
import { parseTezosSignature } from "./tezos.ts";

/**
 * A canonical text of what a signature says, the same for all its encodings: letter case, `0x`, the ways to write
 * v, the order of JSON keys and keys that are not read make no difference. For comparing duplicates; a signature
 * that cannot be read is only equal to itself. It says nothing about validity.
 */
export function signatureIdentity(chain: Chain, signatureText: string): string {
  const canonical = CANONICAL_FORMS[CHAIN_FAMILIES[chain]](signatureText);
  return canonical === null ? `text:${signatureText}` : canonical;
}

const CANONICAL_FORMS: Readonly<Record<SignatureFamily, (text: string) => string | null>> = {
  avalanche: (text) => avalancheForm(text) ?? evmForm(text),
  cosmos(text) {
    const signature = parseCosmosSignature(text);
    return signature && `cosmos:${bytesToHex(signature.rs)}:${bytesToHex(signature.publicKey)}`;
  },
  evm: evmForm,
  // Networks with a switch verify these chains as EVM.
  none: evmForm,
  nuls(text) {
    const signature = parseNulsSignature(text);
    return signature && `nuls:${bytesToHex(signature.rs)}:${bytesToHex(signature.publicKey)}`;
  },
  nuls2(text) {
    const signature = parseNuls2Signature(text);
    return signature && `nuls2:${bytesToHex(signature.rs)}:${signature.recoveryId}`;
  },
  solana(text) {
    const signature = parseSolanaSignature(text);
    return signature && `solana:${bytesToHex(signature.bytes)}:${signature.address}`;
  },
  substrate(text) {
    const signature = parseSubstrateSignature(text, { withoutPrefix: true });
    return signature && `substrate:${bytesToHex(signature)}`;
  },
  tezos: tezosForm,
};

function evmForm(text: string): string | null {
  const signature = parseEvmSignature(text);
  return signature && `evm:${bytesToHex(signature.rs)}:${signature.parity}`;
}

function avalancheForm(text: string): string | null {
  const signature = parseAvalancheSignature(text, { sha256 });
  return signature && `avalanche:${bytesToHex(signature.rs)}:${signature.recoveryId}`;
}

/** What is signed depends on the signing type and the application, so they belong to the identity. */
function tezosForm(text: string): string | null {
  const signature = parseTezosSignature(text);
  if (signature === null) return null;
  const { key, bytes, signingType, dAppUrl } = signature;
  return `tezos:${bytesToHex(bytes)}:${key.curve}:${bytesToHex(key.bytes)}:${signingType}:${dAppUrl ?? ""}`;
}
