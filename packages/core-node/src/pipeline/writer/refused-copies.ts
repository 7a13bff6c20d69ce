import { type JsonValue, type MessageError, stringifyJson } from "@twentysix/protocol";
import { ensureItem, setIdleStatus } from "./idle-items.ts";
import { itemOf, type RecorderContext } from "./recorder-context.ts";
import type { Submission } from "./submission.ts";

/** Longest raw text kept of a refused copy. */
const MAX_RAW_CHARACTERS = 65_536;

interface RefusedCopy {
  readonly hash: string;
  readonly identity: Uint8Array;
  readonly error: MessageError;
  readonly paymentText: string | null;
}

/**
 * Records a copy that can never be valid, beside whatever else is known of its hash.
 *
 * @param paymentText what was looked at where it was refused payment
 */
export function refuseCopy(
  context: RecorderContext,
  submission: Submission,
  hash: string,
  identity: Uint8Array,
  error: MessageError,
  paymentText: string | null = null,
): void {
  const isNew = ensureItem(context, hash, submission, "rejected");
  context.writes.defer(() => {
    // Of what is forgotten by now nothing is kept, not even of a copy that nobody signed.
    if (!itemOf(context, hash)?.forgotten)
      keepRefusal(context, submission.raw, { hash, identity, error, paymentText });
    setIdleStatus(context, hash, error);
  });
  const refused = submission.message === null || error.code <= 1;
  context.answers.push(submission, { itemHash: hash, status: "rejected", refused, known: !isNew }, error);
}

function keepRefusal(
  { store, nowMicros }: RecorderContext,
  raw: string,
  { hash, identity, error, paymentText }: RefusedCopy,
): void {
  const isNews = store.putRefusal({
    hash,
    identity,
    raw: raw.slice(0, MAX_RAW_CHARACTERS),
    code: error.code,
    detailsText: error.details === null ? null : stringifyJson(error.details as JsonValue),
    atMicros: nowMicros,
    paymentText,
  });
  // The log tells of a refusal once, however often the copy is sent.
  if (isNews) store.appendEvent(hash, "rejected", nowMicros, { code: error.code, details: error.details });
}
