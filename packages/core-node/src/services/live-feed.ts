import type { Logger } from "@twentysix/platform";
import { type LiveMessage, matchesFilter, type PointReads } from "@twentysix/storage";
import type { LiveFeed } from "../api/services.ts";
import type { CommitNotice, Pipeline } from "../pipeline/pipeline.ts";
import { ItemWatch } from "./item-watch.ts";

/** Messages read from the outbox in one go. */
const CHUNK = 200;

/**
 * Follows the outbox for those who listen: after a commit the new messages are read back and handed on, so that
 * a listener never hears of something that cannot be read yet. Without listeners nothing is read.
 */
export function createLiveFeed(
  pipeline: Pipeline,
  reads: Pick<PointReads, "liveMessages" | "lastSeq">,
  log: Logger,
): LiveFeed & { readonly items: ItemWatch; close(): void } {
  const items = new ItemWatch();
  const listeners = new Set<(message: LiveMessage) => void>();
  let seq = 0;

  function deliver(): void {
    for (;;) {
      const messages = reads.liveMessages(seq, CHUNK);
      for (const message of messages) {
        seq = message.seq;
        for (const listener of listeners) listener(message);
      }
      if (messages.length < CHUNK) return;
    }
  }

  const stop = pipeline.onCommit((notice: CommitNotice) => {
    items.tell(notice.changes);
    if (notice.processed > 0 && listeners.size > 0) deliver();
  });
  return {
    items,
    subscribe(listener) {
      if (listeners.size === 0) seq = reads.lastSeq();
      listeners.add(listener);
      log.debug("A listener joined the live feed", { listeners: listeners.size });
      return () => {
        listeners.delete(listener);
      };
    },
    matches: matchesFilter,
    onItem: (itemHash, listener) => items.on(itemHash, () => listener()),
    close: stop,
  };
}
