import {
  DEFAULT_SIGNATURE_SWITCHES,
  type JsonObject,
  type JsonValue,
  nobleCrypto,
  parseEnvelope,
  type SignatureEvidence,
  verifySignature,
} from "@twentysix/protocol";
import type { MessageObject } from "./message-object.ts";
import type { SignedMessage } from "./signed-message.ts";

export interface VerifyMessageParameters {
  /** As a node served it, or as it was built here. */
  readonly message: MessageObject | SignedMessage;
}

export type MessageVerification =
  | {
      readonly ok: true;
      /**
       * What the sender signed. Use it instead of the `content` beside it, which nodes may fill up with defaults.
       * null when the content is a file: `downloadFile` with the item hash checks that one.
       */
      readonly content: JsonObject | null;
    }
  | {
      readonly ok: false;
      /** `form`: the envelope, its hash or its content is invalid. `signature`: nobody signed it so. */
      readonly problem: "form" | "signature";
      readonly details: JsonValue;
      readonly evidence?: SignatureEvidence;
    };

/**
 * Proves, without any trust in the node, that the sender signed this message and that its content is what was
 * signed. Neither `time` nor `channel` nor the confirmations are covered by a signature.
 *
 * The rules are the protocol's normative ones; a network with switches of its own may accept more.
 *
 * @example
 * const verification = verifyMessage({ message });
 * if (verification.ok) show(verification.content);
 */
export function verifyMessage({ message }: VerifyMessageParameters): MessageVerification {
  const parsed = parseEnvelope(asJson(message));
  if (!parsed.ok) {
    const problem = parsed.error.name === "INVALID_SIGNATURE" ? "signature" : "form";
    return { ok: false, problem, details: asJson(parsed.error.details) };
  }
  const context = { crypto: nobleCrypto, switches: DEFAULT_SIGNATURE_SWITCHES };
  const verdict = verifySignature(parsed.envelope, context);
  if (verdict.ok) return { ok: true, content: parsed.content };
  const evidence = verdict.why === undefined ? {} : { evidence: verdict.why };
  return { ok: false, problem: "signature", details: verdict.reason, ...evidence };
}

/** Interfaces of plain JSON members are JSON; the compiler cannot see that no others are added. */
function asJson(value: object | null): JsonValue {
  return value as unknown as JsonValue;
}
