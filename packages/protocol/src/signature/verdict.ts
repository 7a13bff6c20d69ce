/** The evidence behind a refused signature, for whoever has to find out what was signed by mistake. */
export interface SignatureEvidence {
  /** The address that the signature or its public key belongs to, when one could be derived. */
  readonly recoveredAddress?: string;
  /** The address that should have signed: the sender of the envelope. */
  readonly expectedAddress?: string;
  /** The exact verification buffer, before the chain's own framing, as text (its UTF-8 bytes are what counts). */
  readonly buffer: string;
}

/**
 * Result of a verification. Code 1: the signature is invalid; code 0: no message can be verified for this chain.
 * Both are final: a later attempt gives the same verdict.
 */
export type SignatureVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: 0; readonly reason: string; readonly why?: undefined }
  | {
      readonly ok: false;
      readonly code: 1;
      /** The texts have not the form that the chain needs; otherwise the form is right and the signer is not. */
      readonly isMalformed: boolean;
      readonly reason: string;
      readonly why: SignatureEvidence;
    };

/** What the verifier of one chain family says; null when the signature is valid. */
export interface Refusal {
  readonly isMalformed: boolean;
  readonly reason: string;
  readonly recoveredAddress?: string;
}

/** The signature or the sender cannot be read. */
export function malformed(reason: string): Refusal {
  return { isMalformed: true, reason };
}

/** Everything can be read, and the sender did not sign this. */
export function mismatch(reason: string, recoveredAddress?: string): Refusal {
  return { isMalformed: false, reason, ...(recoveredAddress === undefined ? {} : { recoveredAddress }) };
}
