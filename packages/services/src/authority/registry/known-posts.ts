import type { Clock } from "@twentysix/platform";
import type { MessageFilter, MessageObject } from "@twentysix/sdk";
import type { EventPlace } from "./events.ts";

/** How late a post may arrive, by its own time, or be forgotten, to be noticed with the next reading. */
const WINDOW_SECONDS = 3_600;
/** Posts without a confirmation are read again for so long: it may come any time. */
const UNSETTLED_SECONDS = 86_400;
/** All of them are read only so often: what came later, or was forgotten later, is noticed then. */
const FULL_MS = 600_000;

export interface KnownPostsOptions<Event extends EventPlace> {
  readonly filter: MessageFilter;
  /** The newest first. */
  readonly posts: (filter: MessageFilter, signal: AbortSignal) => AsyncIterable<MessageObject>;
  /** null: the message says nothing. */
  readonly toEvent: (message: MessageObject) => Event | null;
  /** Whether its place among the others is known for good. */
  readonly isSettled: (event: Event) => boolean;
  readonly clock: Pick<Clock, "monotonicMs" | "nowMicros">;
}

interface KnownPost<Event> {
  /** Of the envelope, by which messages are listed. */
  readonly timeSeconds: number;
  readonly event: Event | null;
}

/** Posts of one filter, of which only the last hour is read again and again. */
export class KnownPosts<Event extends EventPlace> {
  readonly #options: KnownPostsOptions<Event>;
  #known: ReadonlyMap<string, KnownPost<Event>> = new Map();
  #fullyReadMs: number | null = null;

  constructor(options: KnownPostsOptions<Event>) {
    this.#options = options;
  }

  /** What the posts say that the node has by now. A reading that breaks off changes nothing. */
  async read(signal: AbortSignal): Promise<readonly Event[]> {
    const { filter, posts, toEvent, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const isFull = this.#fullyReadMs === null || nowMs - this.#fullyReadMs >= FULL_MS;
    const sinceSeconds = isFull ? Number.NEGATIVE_INFINITY : this.#sinceSeconds();
    const read = new Map([...this.#known].filter(([, { timeSeconds }]) => timeSeconds < sinceSeconds));
    const part = isFull ? filter : { ...filter, startTimeSeconds: sinceSeconds };
    for await (const message of posts(part, signal)) {
      read.set(message.item_hash, { timeSeconds: message.time, event: toEvent(message) });
    }
    this.#known = read;
    if (isFull) this.#fullyReadMs = nowMs;
    return [...read.values()].flatMap(({ event }) => event ?? []);
  }

  /** By this clock, or by theirs where that is late; times from the future are anybody's to write. */
  #sinceSeconds(): number {
    const { clock, isSettled } = this.#options;
    const nowSeconds = Number(clock.nowMicros() / 1_000_000n);
    const posts = [...this.#known.values()];
    const newest = posts.reduce((last, { timeSeconds }) => Math.max(last, timeSeconds), 0);
    const nearSeconds = Math.min(newest, nowSeconds);
    const unsettled = posts.filter(
      ({ event, timeSeconds }) =>
        event !== null && !isSettled(event) && timeSeconds >= nearSeconds - UNSETTLED_SECONDS,
    );
    const firstSeconds = unsettled.reduce(
      (first, { timeSeconds }) => Math.min(first, timeSeconds),
      nearSeconds - WINDOW_SECONDS,
    );
    // Where nothing is known yet there is no time before which all is.
    return Math.max(0, Math.floor(firstSeconds));
  }
}
