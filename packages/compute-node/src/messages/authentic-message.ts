import {
  type CryptoProvider,
  completeContent,
  DEFAULT_SIGNATURE_SWITCHES,
  decodeUtf8,
  type Envelope,
  type InstanceContent,
  type JsonValue,
  type ProgramContent,
  parseEnvelope,
  validateContent,
  verifySignature,
} from "@twentysix/protocol";
import type { MessageObject } from "@twentysix/sdk";

/**
 * The envelope of a message as somebody signed it, and its content where that is part of it. null: its hash, its form or
 * its signature is wrong. Whatever else a core node says of it is not looked at.
 */
export function authenticEnvelope(
  message: MessageObject,
  crypto: CryptoProvider,
): { readonly envelope: Envelope; readonly typed: TypedVm | null } | null {
  const parsed = parseEnvelope(message as unknown as JsonValue, {
    sha256: crypto.sha256,
    switches: { creditInstancesWithoutNode: true },
  });
  if (!parsed.ok) return null;
  const verdict = verifySignature(parsed.envelope, { crypto, switches: DEFAULT_SIGNATURE_SWITCHES });
  if (!verdict.ok) return null;
  const { typed } = parsed;
  return {
    envelope: parsed.envelope,
    typed: typed?.type === "PROGRAM" || typed?.type === "INSTANCE" ? typed : null,
  };
}

export type TypedVm =
  | { readonly type: "PROGRAM"; readonly content: ProgramContent }
  | { readonly type: "INSTANCE"; readonly content: InstanceContent };

/** A content that was fetched as a file, whose bytes have the hash that was signed. null: it is none of a machine. */
export function vmContentOf(
  type: "PROGRAM" | "INSTANCE",
  bytes: Uint8Array,
  envelope: Pick<Envelope, "sender" | "timeText">,
): TypedVm | null {
  const text = decodeUtf8(bytes);
  const completed = text === null ? null : completeContent(text, envelope);
  if (completed === null || !completed.ok) return null;
  const result = validateContent(type, completed.content, { creditInstancesWithoutNode: true });
  return result.ok ? ({ type, content: result.content } as TypedVm) : null;
}
