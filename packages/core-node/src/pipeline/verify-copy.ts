import {
  type CryptoProvider,
  type Envelope,
  invalidFormat,
  type MessageError,
  messageError,
  type ProtocolSwitches,
  parseEnvelope,
  verifySignature,
} from "@twentysix/protocol";
import type { PreparedMessage } from "@twentysix/state";
import { prepareMessage } from "./prepare-message.ts";

/** What the first look at a copy gave: everything that can be known without any state. */
export type VerifiedCopy =
  | { readonly kind: "message"; readonly message: PreparedMessage }
  /** Correctly signed, its content is to be fetched. */
  | { readonly kind: "incomplete"; readonly envelope: Envelope; readonly envelopeText: string }
  | {
      readonly kind: "refused";
      readonly itemHash: string | null;
      readonly raw: string;
      readonly error: MessageError;
    };

export interface VerifyOptions {
  readonly crypto: CryptoProvider;
  readonly switches: ProtocolSwitches;
  /** The copy comes out of a smart-contract event, whose transaction vouches for it. */
  readonly trusted?: boolean;
  /** The signature was verified before, by whoever stored the copy. */
  readonly signatureKnown?: boolean;
}

/** Syntax, content hash and schema, signature: in that order, before anything else looks at the copy. */
export function verifyCopy(text: string, options: VerifyOptions): VerifiedCopy {
  const { crypto, switches, trusted = false } = options;
  const read = parseEnvelope(text, { trusted, sha256: crypto.sha256, switches });
  if (!read.ok) return { kind: "refused", itemHash: read.itemHash, raw: text, error: read.error };
  const { envelope, content, typed } = read;
  if (!(trusted && envelope.signature === null) && options.signatureKnown !== true) {
    const verdict = verifySignature(envelope, { crypto, switches });
    if (!verdict.ok) {
      return { kind: "refused", itemHash: envelope.itemHash, raw: text, error: signatureError(verdict) };
    }
  }
  if (content === null || typed === null) return { kind: "incomplete", envelope, envelopeText: text };
  const readContent = { text: envelope.itemContent ?? "", value: content, typed };
  return { kind: "message", message: prepareMessage(envelope, text, readContent, null) };
}

function signatureError(verdict: { readonly code: number; readonly reason: string }): MessageError {
  if (verdict.code === 0) return invalidFormat(verdict.reason);
  return messageError("INVALID_SIGNATURE", { errors: [verdict.reason] });
}
