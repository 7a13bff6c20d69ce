import {
  invalidFormat,
  type MessageError,
  messageError,
  type SignatureVerdict,
  type SignatureWhy,
} from "@twentysix/protocol";

/** A sender may be a text of any length, and stands in the buffer. */
const MAX_SHOWN_CHARACTERS = 4_096;

/**
 * The error of a signature that was refused: the texts of the network, and beside them what was found.
 *
 * Source: pyaleph `src/aleph/chains/signature_verifier.py`.
 */
export function signatureError(verdict: Extract<SignatureVerdict, { ok: false }>): MessageError {
  if (verdict.code === 0) return invalidFormat(verdict.reason);
  const text = verdict.isMalformed
    ? `Signature validation error: ${verdict.reason}`
    : "The signature of the message is invalid";
  return messageError("INVALID_SIGNATURE", { errors: [text], why: whyOf(verdict) });
}

function whyOf({ reason, why }: Extract<SignatureVerdict, { code: 1 }>): SignatureWhy {
  const shown = (text: string | undefined): text is string =>
    text !== undefined && text.length <= MAX_SHOWN_CHARACTERS;
  return {
    reason,
    ...(shown(why.recoveredAddress) ? { recovered_address: why.recoveredAddress } : {}),
    ...(shown(why.expectedAddress) ? { expected_address: why.expectedAddress } : {}),
    ...(shown(why.buffer) ? { buffer: why.buffer } : {}),
  };
}
