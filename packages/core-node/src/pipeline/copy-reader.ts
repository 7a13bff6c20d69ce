import {
  type ContentSwitches,
  completeContent,
  type Envelope,
  invalidFormat,
  type MessageError,
  type NetworkLimits,
  type ProtocolSwitches,
  parseContentText,
  parseEnvelope,
  type Sha256,
  type TypedContent,
  validateContent,
} from "@twentysix/protocol";
import type { PreparedMessage } from "@twentysix/state";
import { prepareMessage } from "./prepare-message.ts";

export type ContentReadResult =
  | { readonly ok: true; readonly message: PreparedMessage }
  | { readonly ok: false; readonly error: MessageError };

/** Reads copies again whose signature was verified when they came in. */
export interface CopyReader {
  /** The envelope of a stored copy. */
  envelope(envelopeText: string): Envelope;
  /** A stored copy; null while its content is not there. */
  prepare(envelopeText: string, contentText: string | null): PreparedMessage | null;
  /** The content of a message that is complete, as its type says. */
  typed(message: PreparedMessage): TypedContent;
  /** A copy whose content was fetched: the content is completed and checked against its schema. */
  withContent(envelope: Envelope, envelopeText: string, fetchedText: string): ContentReadResult;
}

/**
 * Under `canonicalOrder` a fetched content must say itself whose it is and when: filled in from the envelope, two
 * copies of one message would be of two owners, and of whatever time a relay wrote.
 */
export function createCopyReader(
  sha256: Sha256,
  switches: ContentSwitches & Partial<Pick<ProtocolSwitches, "canonicalOrder">>,
  limits: Pick<NetworkLimits, "itemContentCharacters">,
): CopyReader {
  const envelopeOptions = {
    trusted: true,
    sha256,
    switches,
    maxItemContentCharacters: limits.itemContentCharacters,
  };
  const withContent = (envelope: Envelope, envelopeText: string, fetchedText: string): ContentReadResult => {
    const completed = completeContent(fetchedText, { sender: envelope.sender, timeText: envelope.timeText });
    if (!completed.ok) return { ok: false, error: invalidFormat(completed.reason) };
    if (switches.canonicalOrder === true && completed.text !== fetchedText)
      return { ok: false, error: invalidFormat("the content must have its own address and time") };
    const checked = validateContent(envelope.type, completed.content, switches);
    if (!checked.ok) return { ok: false, error: invalidFormat(...checked.errors) };
    const typed = { type: envelope.type, content: checked.content } as TypedContent;
    const content = { text: completed.text, value: completed.content, typed };
    return { ok: true, message: prepareMessage(envelope, envelopeText, content, completed.text) };
  };
  const parsed = (envelopeText: string): Extract<ReturnType<typeof parseEnvelope>, { ok: true }> => {
    const read = parseEnvelope(envelopeText, envelopeOptions);
    if (!read.ok) throw new Error(`A stored copy is malformed: ${JSON.stringify(read.error.details)}`);
    return read;
  };
  return {
    withContent,
    envelope: (envelopeText) => parsed(envelopeText).envelope,
    typed({ envelope, contentText }) {
      const content = parseContentText(contentText ?? envelope.itemContent ?? "");
      const checked = content.ok ? validateContent(envelope.type, content.content, switches) : content;
      if (!checked.ok || !("content" in checked))
        throw new Error(`The content of ${envelope.itemHash} can no longer be read`);
      return { type: envelope.type, content: checked.content } as TypedContent;
    },
    prepare(envelopeText, contentText) {
      const read = parsed(envelopeText);
      const { envelope, content, typed } = read;
      if (content !== null && typed !== null) {
        return prepareMessage(
          envelope,
          envelopeText,
          { text: envelope.itemContent ?? "", value: content, typed },
          null,
        );
      }
      if (contentText === null) return null;
      const completed = withContent(envelope, envelopeText, contentText);
      if (!completed.ok)
        throw new Error(`A stored content is malformed: ${JSON.stringify(completed.error.details)}`);
      return completed.message;
    },
  };
}
