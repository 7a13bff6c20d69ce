import {
  type Chain,
  type CryptoProvider,
  contractQuestionOf,
  type Envelope,
  type MessageError,
  type NetworkLimits,
  type ProtocolSwitches,
  parseEnvelope,
  verifySignature,
} from "@twentysix/protocol";
import type { PreparedMessage } from "@twentysix/state";
import { prepareMessage } from "./prepare-message.ts";
import { signatureError } from "./signature-error.ts";

/** What the first look at a copy gave: everything that can be known without any state. */
export type VerifiedCopy =
  | { readonly kind: "message"; readonly message: PreparedMessage }
  /** Correctly signed, its content is to be fetched. */
  | { readonly kind: "incomplete"; readonly envelope: Envelope; readonly envelopeText: string }
  /** Not signed with the sender's own key: a contract may accept it, which its chain is to be asked. */
  | { readonly kind: "undecided"; readonly envelope: Envelope; readonly envelopeText: string }
  | {
      readonly kind: "refused";
      readonly itemHash: string | null;
      readonly raw: string;
      readonly error: MessageError;
    };

export interface VerifyOptions {
  readonly crypto: CryptoProvider;
  readonly switches: ProtocolSwitches;
  readonly limits: Pick<NetworkLimits, "itemContentCharacters">;
  /** Chains whose contracts may send messages; none by default. */
  readonly contractChains?: readonly Chain[];
  /** The copy comes out of a smart-contract event, whose transaction vouches for it. */
  readonly trusted?: boolean;
  /** The signature was verified before, by whoever stored the copy. */
  readonly signatureKnown?: boolean;
}

/** Syntax, content hash and schema, signature: in that order, before anything else looks at the copy. */
export function verifyCopy(text: string, options: VerifyOptions): VerifiedCopy {
  const { crypto, switches, limits, trusted = false } = options;
  const maxItemContentCharacters = limits.itemContentCharacters;
  const read = parseEnvelope(text, { trusted, sha256: crypto.sha256, switches, maxItemContentCharacters });
  if (!read.ok) return { kind: "refused", itemHash: read.itemHash, raw: text, error: read.error };
  const { envelope, content, typed } = read;
  if (!(trusted && envelope.signature === null) && options.signatureKnown !== true) {
    const verdict = verifySignature(envelope, { crypto, switches });
    if (!verdict.ok) {
      const mayBeContract = verdict.code === 1 && options.contractChains?.includes(envelope.chain) === true;
      if (mayBeContract && contractQuestionOf(envelope, crypto) !== null) {
        return { kind: "undecided", envelope, envelopeText: text };
      }
      return { kind: "refused", itemHash: envelope.itemHash, raw: text, error: signatureError(verdict) };
    }
  }
  if (content === null || typed === null) return { kind: "incomplete", envelope, envelopeText: text };
  const readContent = { text: envelope.itemContent ?? "", value: content, typed };
  return { kind: "message", message: prepareMessage(envelope, text, readContent, null) };
}
