import type { MessageError } from "@twentysix/protocol";
import { itemOf, type RecorderContext } from "./recorder-context.ts";
import type { Submission } from "./submission.ts";

/*
 * Items that are neither live nor forgotten: they have a row as soon as any copy of them was met.
 */

/** Gives a hash that this node never met its row; true when it had none. */
export function ensureItem(
  context: RecorderContext,
  hash: string,
  { receptionMicros }: Submission,
  status: "pending" | "rejected",
): boolean {
  if (itemOf(context, hash) !== null) return false;
  context.world.facts.items.set(hash, { status, receptionMicros, live: null, forgotten: null });
  return true;
}

/** The status of an idle item: pending while any copy of it is queued. */
export function setIdleStatus(context: RecorderContext, hash: string, error: MessageError | null): void {
  const { store, world, answers } = context;
  const item = itemOf(context, hash);
  if (item === null || item.live !== null || item.forgotten !== null) return;
  const status = store.countCandidates(hash).queued > 0 ? "pending" : "rejected";
  if (item.status !== status) world.facts.items.set(hash, { ...item, status });
  answers.change(hash, status, status === "rejected" ? error : null);
}
