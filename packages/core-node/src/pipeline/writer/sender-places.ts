import { errorOfCode, type JsonValue, type MessageError } from "@twentysix/protocol";
import { setIdleStatus } from "./idle-items.ts";
import type { RecorderContext } from "./recorder-context.ts";

/** Copies of one sender that may be queued, those left out that an import or a chain brought. */
export const MAX_QUEUED_PER_SENDER = 1_000;

const REASON = `more than ${MAX_QUEUED_PER_SENDER} messages of this sender wait: send it again when fewer do`;

/**
 * A sender with too many copies in the queue gives one up, as if its retries had come to their end. It is the one
 * that was tried most often, and what it waits for still wakes it.
 */
export function keepToPlaces(context: RecorderContext, sender: string): void {
  const { store, world, nowMicros, flush } = context;
  const crowded = store.crowdedCandidate(sender, MAX_QUEUED_PER_SENDER);
  if (crowded === null) return;
  store.giveUpCandidate(crowded.id);
  const error = storedError(crowded.code, crowded.detailsText);
  const cause = { code: error?.code ?? null, details: error?.details ?? null, attempt: crowded.attempts };
  store.appendEvent(crowded.hash, "rejected", nowMicros, { ...cause, reason: REASON });
  store.fetch(world, [{ table: "items", key: crowded.hash }], flush);
  setIdleStatus(context, crowded.hash, error);
}

function storedError(code: number | null, detailsText: string | null): MessageError | null {
  const known = code === null ? undefined : errorOfCode(code);
  if (code === null || known === undefined) return null;
  const details = detailsText === null ? null : (JSON.parse(detailsText) as JsonValue);
  return { name: known.name, code, details } as MessageError;
}
