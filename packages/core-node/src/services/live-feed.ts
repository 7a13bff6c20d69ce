import { isAbortOf, type Logger, type Timers } from "@twentysix/platform";
import { type LiveMessage, matchesFilter, type PointReads, ReadError } from "@twentysix/storage";
import type { LiveFeed } from "../api/services.ts";
import type { CommitNotice } from "../pipeline/pipeline-options.ts";
import { ItemWatch } from "./item-watch.ts";

/** Read from the outbox in one go; others get their turn before the next. */
const CHUNK = { messages: 200, bytes: 1024 * 1024 };
/** Before the outbox is asked again when it could not be read. */
const RETRY_MS = 1_000;

/** Where the news of commits comes from: the pipeline of this process, or the writer in another one. */
export interface CommitSource {
  onCommit(listener: (notice: HeardCommit) => void): () => void;
}

export interface HeardCommit {
  /** null: what changed is not told. */
  readonly changes: CommitNotice["changes"] | null;
  /** Messages that became live in it; of another process's, how many there may be. */
  readonly processed: number;
}

interface LiveFeedParts {
  readonly commits: CommitSource;
  readonly reads: Pick<PointReads, "liveMessages" | "lastSeq">;
  readonly timers: Timers;
  readonly log: Logger;
}

/**
 * Follows the outbox for those who listen: after a commit the new messages are read back and handed on, so that
 * a listener never hears of something that cannot be read yet. Without listeners nothing is read.
 */
export function createLiveFeed(
  parts: LiveFeedParts,
): LiveFeed & { readonly items: ItemWatch; close(): void } {
  const items = new ItemWatch();
  const outbox = new OutboxReader(parts);
  const stop = parts.commits.onCommit(({ changes, processed }) => {
    if (changes === null) items.tellAll();
    else items.tell(changes);
    if (processed > 0) outbox.wake();
  });
  return {
    items,
    subscribe: (listener) => outbox.subscribe(listener),
    lastSeq: () => parts.reads.lastSeq(),
    matches: matchesFilter,
    onCommit: (listener) => parts.commits.onCommit(() => listener()),
    onItem: (itemHash, listener) => items.on(itemHash, () => listener()),
    close() {
      stop();
      outbox.close();
    },
  };
}

/** Reads the outbox from where the first of its listeners joined, one part after the other. */
class OutboxReader {
  readonly #parts: LiveFeedParts;
  readonly #listeners = new Set<(message: LiveMessage) => void>();
  readonly #stop = new AbortController();
  /** The event up to which all is told; null while nobody listens, a promise while it is asked for. */
  #start: Promise<void> | null = null;
  #seq: number | null = null;
  /** There may be more than was read. */
  #isWanted = false;
  #isReading = false;

  constructor(parts: LiveFeedParts) {
    this.#parts = parts;
  }

  async subscribe(listener: (message: LiveMessage) => void): Promise<() => void> {
    this.#listeners.add(listener);
    const leave = (): void => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#start = null;
      this.#seq = null;
    };
    this.#start ??= this.#begin();
    try {
      await this.#start;
    } catch (error) {
      leave();
      throw error;
    }
    this.#parts.log.debug("A listener joined the live feed", { listeners: this.#listeners.size });
    return leave;
  }

  /** A commit brought something. */
  wake(): void {
    this.#isWanted = true;
    if (this.#isReading || this.#seq === null) return;
    this.#isReading = true;
    void this.#read();
  }

  close(): void {
    this.#stop.abort();
    this.#listeners.clear();
  }

  async #begin(): Promise<void> {
    const seq = await this.#parts.reads.lastSeq();
    if (this.#listeners.size === 0) return;
    this.#seq = seq;
    if (this.#isWanted) this.wake();
  }

  async #read(): Promise<void> {
    const { timers } = this.#parts;
    const { signal } = this.#stop;
    try {
      while (this.#isWanted && this.#seq !== null && !signal.aborted) {
        this.#isWanted = false;
        const isRead = await this.#readPart(this.#seq);
        if (!isRead) await timers.sleep(RETRY_MS, signal);
        else if (this.#isWanted) await timers.sleep(0, signal);
      }
    } catch (error) {
      if (!isAbortOf(signal, error)) throw error;
    } finally {
      this.#isReading = false;
    }
  }

  /** False when it could not be read and is to be tried again. */
  async #readPart(seq: number): Promise<boolean> {
    const { reads, log } = this.#parts;
    try {
      const chunk = await reads.liveMessages(seq, CHUNK);
      // All may have left meanwhile, and others may have come, who begin elsewhere.
      if (this.#seq !== seq) return true;
      for (const message of chunk.messages) {
        for (const listener of this.#listeners) listener(message);
      }
      this.#seq = chunk.seq;
      this.#isWanted ||= chunk.hasMore;
      return true;
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      log.warn("The outbox cannot be read; tried again", { error });
      this.#isWanted = true;
      return false;
    }
  }
}
