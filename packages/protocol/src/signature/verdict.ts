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
  | {
      readonly ok: false;
      readonly code: 0 | 1;
      readonly reason: string;
      readonly why?: SignatureEvidence;
    };

/** What the verifier of one chain family says; null when the signature is valid. */
export interface Refusal {
  readonly reason: string;
  readonly recoveredAddress?: string;
}
