import type { SignedFields } from "../envelope.ts";
import type { CryptoProvider } from "./crypto-provider.ts";
import type { SignatureSwitches } from "./switches.ts";
import type { Refusal } from "./verdict.ts";

/** Signed fields whose signature is a text that is not empty. */
export interface PresentSignature extends SignedFields {
  readonly signature: string;
}

export interface VerificationContext {
  readonly crypto: CryptoProvider;
  readonly switches: SignatureSwitches;
}

/**
 * Verifies the signatures of one chain family: null when valid, else why not. Total: whatever the text of the
 * signature or of the sender, it returns.
 */
export type FamilyVerifier = (fields: PresentSignature, context: VerificationContext) => Refusal | null;
