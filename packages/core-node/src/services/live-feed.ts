import type { Logger, Timers } from "@twentysix/platform";
import { type LiveMessage, matchesFilter, type PointReads } from "@twentysix/storage";
import type { LiveFeed } from "../api/services.ts";
import type { CommitNotice, Pipeline } from "../pipeline/pipeline.ts";
import { ItemWatch } from "./item-watch.ts";

/** Read from the outbox in one go; others get their turn before the next. */
const CHUNK = { messages: 200, bytes: 1024 * 1024 };

interface LiveFeedParts {
  readonly pipeline: Pick<Pipeline, "onCommit">;
  readonly reads: Pick<PointReads, "liveMessages" | "lastSeq">;
  readonly timers: Timers;
  readonly log: Logger;
}

/**
 * Follows the outbox for those who listen: after a commit the new messages are read back and handed on, so that
 * a listener never hears of something that cannot be read yet. Without listeners nothing is read.
 */
export function createLiveFeed({
  pipeline,
  reads,
  timers,
  log,
}: LiveFeedParts): LiveFeed & { readonly items: ItemWatch; close(): void } {
  const items = new ItemWatch();
  const listeners = new Set<(message: LiveMessage) => void>();
  let seq = 0;
  /** Set while more is to be read in another turn. */
  let cancelTurn: (() => void) | null = null;

  function follow(): void {
    cancelTurn = null;
    if (listeners.size === 0) return;
    const chunk = reads.liveMessages(seq, CHUNK);
    for (const message of chunk.messages) {
      for (const listener of listeners) listener(message);
    }
    seq = chunk.seq;
    if (chunk.hasMore) cancelTurn = timers.schedule(0, follow);
  }

  const stop = pipeline.onCommit((notice: CommitNotice) => {
    items.tell(notice.changes);
    if (notice.processed > 0 && cancelTurn === null) follow();
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
    lastSeq: () => reads.lastSeq(),
    matches: matchesFilter,
    onItem: (itemHash, listener) => items.on(itemHash, () => listener()),
    close() {
      stop();
      cancelTurn?.();
    },
  };
}
