/**
 * Chain identifiers that an envelope may carry, and the signature family that verifies each.
 *
 * Source: pyaleph `src/aleph/chains/signature_verifier.py`, aleph-message `aleph_message/models/base.py`.
 */
export const CHAIN_FAMILIES = {
  ARB: "evm",
  AURORA: "none",
  AVAX: "avalanche",
  BASE: "evm",
  BLAST: "evm",
  BOB: "evm",
  BSC: "evm",
  CSDK: "cosmos",
  CYBER: "evm",
  DOT: "substrate",
  ES: "solana",
  ETH: "evm",
  ETHERLINK: "evm",
  FRAX: "evm",
  HYPE: "evm",
  INK: "evm",
  LENS: "evm",
  LINEA: "evm",
  LISK: "evm",
  METIS: "evm",
  MODE: "evm",
  NEO: "evm",
  NULS: "nuls",
  NULS2: "nuls2",
  OP: "evm",
  POL: "evm",
  SOL: "solana",
  SONIC: "evm",
  STT: "none",
  TEZOS: "tezos",
  UNICHAIN: "evm",
  WLD: "evm",
  ZORA: "evm",
} as const;

/** Exact, case-sensitive chain identifier of an envelope. */
export type Chain = keyof typeof CHAIN_FAMILIES;
/** How the signatures of a chain are verified; `none` means that no message can be verified for it. */
export type SignatureFamily = (typeof CHAIN_FAMILIES)[Chain];

/** All chain identifiers, in alphabetical order. */
export const CHAINS = Object.keys(CHAIN_FAMILIES) as readonly Chain[];

/** True when `text` is exactly one of the known chain identifiers. */
export function isChain(text: unknown): text is Chain {
  return typeof text === "string" && Object.hasOwn(CHAIN_FAMILIES, text);
}
