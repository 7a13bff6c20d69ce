import type { SignedFields } from "../envelope.ts";

const encoder = new TextEncoder();

/** What {@link verificationBuffer} reads. */
export type BufferFields = Pick<SignedFields, "chain" | "sender" | "type" | "itemHash">;

/** The text that every chain signs: chain, sender, type and item hash joined with line feeds, none at the end. */
export function verificationText(fields: BufferFields): string {
  return `${fields.chain}\n${fields.sender}\n${fields.type}\n${fields.itemHash}`;
}

/**
 * The UTF-8 bytes of {@link verificationText}; the sender is taken verbatim, so its letter case is signed too.
 *
 * Source: pyaleph `src/aleph/chains/common.py`.
 */
export function verificationBuffer(fields: BufferFields): Uint8Array {
  return encoder.encode(verificationText(fields));
}
