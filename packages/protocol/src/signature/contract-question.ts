import { bytesToHex } from "@noble/hashes/utils.js";
import { CHAIN_FAMILIES, type Chain } from "../chains.ts";
import type { SignedFields } from "../envelope.ts";
import type { NetworkDefinition } from "../network/network-definition.ts";
import type { CryptoProvider } from "./crypto-provider.ts";
import { evmDigest } from "./evm.ts";
import { decodeHex } from "./text-decoding.ts";
import { verificationBuffer } from "./verification-buffer.ts";

/** Whether a contract accepts a signature (ERC-1271, ERC-6492): what its chain is to be asked. */
export interface ContractQuestion {
  readonly chain: Chain;
  /** `0x` and 40 lower-case digits. */
  readonly account: string;
  /** What `personal_sign` signs, 32 bytes: `0x…`. */
  readonly digest: string;
  readonly signature: string;
}

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const HEX_PREFIX = /^0[xX]/;
/** Of a contract that is still to be made, its code among it: as much as a chain takes in one creation, by far. */
const MAX_SIGNATURE_BYTES = 16_384;

/**
 * What is asked when the sender's own key has not signed; null: no contract can have sent this.
 *
 * A signature that the key of the sender has made needs no chain: verify that first.
 */
export function contractQuestionOf(
  fields: SignedFields,
  crypto: Pick<CryptoProvider, "keccak256">,
): ContractQuestion | null {
  const { chain, sender, signature } = fields;
  if (CHAIN_FAMILIES[chain] !== "evm" || !ADDRESS.test(sender) || !signature) return null;
  if (signature.length > 2 + 2 * MAX_SIGNATURE_BYTES) return null;
  const bytes = decodeHex(signature.replace(HEX_PREFIX, ""));
  if (bytes === null || bytes.length === 0) return null;
  return {
    chain,
    account: sender.toLowerCase(),
    digest: `0x${bytesToHex(evmDigest(verificationBuffer(fields), crypto))}`,
    signature: `0x${bytesToHex(bytes)}`,
  };
}

/** Chains whose contracts may send messages: those EVM chains that the network anchors on, under the switch. */
export function contractChainsOf({
  switches,
  chains,
}: Pick<NetworkDefinition, "switches" | "chains">): readonly Chain[] {
  if (!switches.contractWallets) return [];
  return chains.flatMap(({ chain, chainId, sync }) =>
    CHAIN_FAMILIES[chain] === "evm" && chainId !== null && sync !== null ? [chain] : [],
  );
}
