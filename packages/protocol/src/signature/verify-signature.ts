import { CHAIN_FAMILIES, type Chain, type SignatureFamily } from "../chains.ts";
import type { SignedFields } from "../envelope.ts";
import { verifyAvalanche } from "./avalanche.ts";
import { verifyCosmos } from "./cosmos.ts";
import { verifyEvm } from "./evm.ts";
import type { FamilyVerifier, VerificationContext } from "./family-verifier.ts";
import { verifyNuls } from "./nuls.ts";
import { verifyNuls2 } from "./nuls2.ts";
import { verifySolana } from "./solana.ts";
import { verifySubstrate } from "./substrate.ts";
import { verifyTezos } from "./tezos.ts";
import { malformed, type SignatureVerdict } from "./verdict.ts";
import { verificationText } from "./verification-buffer.ts";

const VERIFIERS: Readonly<Record<Exclude<SignatureFamily, "none">, FamilyVerifier>> = {
  avalanche: verifyAvalanche,
  cosmos: verifyCosmos,
  evm: verifyEvm,
  nuls: verifyNuls,
  nuls2: verifyNuls2,
  solana: verifySolana,
  substrate: verifySubstrate,
  tezos: verifyTezos,
};

const VALID: SignatureVerdict = { ok: true };

/**
 * Verifies the signature of an envelope with the rules of its chain.
 *
 * Total: whatever the texts hold, it returns a verdict. A refusal carries the code of the protocol (1: invalid;
 * 0: the chain has no verifier) and the evidence: address found, address expected, exact buffer.
 *
 * Source: pyaleph `src/aleph/chains/signature_verifier.py`.
 */
export function verifySignature(fields: SignedFields, context: VerificationContext): SignatureVerdict {
  const verifier = verifierOf(fields.chain, context);
  if (verifier === null) {
    return { ok: false, code: 0, reason: `unknown chain for validation: ${fields.chain}` };
  }
  const { signature } = fields;
  const refusal = signature ? verifier({ ...fields, signature }, context) : malformed("Missing signature");
  if (refusal === null) return VALID;
  return {
    ok: false,
    code: 1,
    isMalformed: refusal.isMalformed,
    reason: refusal.reason,
    why: {
      ...("recoveredAddress" in refusal ? { recoveredAddress: refusal.recoveredAddress } : {}),
      expectedAddress: fields.sender,
      buffer: verificationText(fields),
    },
  };
}

function verifierOf(chain: Chain, { switches }: VerificationContext): FamilyVerifier | null {
  const family = CHAIN_FAMILIES[chain];
  if (family !== "none") return VERIFIERS[family];
  return switches.evmForUnverifiedChains ? verifyEvm : null;
}
