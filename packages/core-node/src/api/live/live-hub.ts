import type { MessageType } from "@twentysix/protocol";
import type { LiveMessage, LongText, MessageFilter } from "@twentysix/storage";
import type { LiveFeed } from "../services.ts";

/** A message as the sockets get it, each variant encoded once, and only when somebody wants it. */
export interface LiveFrame {
  readonly itemHash: string;
  /** What is held of it. */
  readonly heldBytes: number;
  /** A long text is read by each socket for itself, as fast as its client takes it. */
  readonly full: () => Buffer | LongText;
  readonly withoutContent: () => Buffer;
}

interface Subscription {
  readonly filter: MessageFilter;
  /** Later messages are told, earlier ones could be read before. */
  readonly afterSeq: number;
  deliver(frame: LiveFrame): void;
}

/**
 * Distributes the messages of the node to many subscribers. Each stands in the index under the most selective of
 * its filters, so that a message is only held against those that may want it. Listens to the node only while
 * somebody listens to it.
 */
export class LiveHub {
  readonly #feed: LiveFeed;
  readonly #onBroadcast: () => void;
  readonly #bySender = new Map<string, Set<Subscription>>();
  readonly #byChannel = new Map<string, Set<Subscription>>();
  readonly #byType = new Map<MessageType, Set<Subscription>>();
  readonly #others = new Set<Subscription>();
  #count = 0;
  #stop: (() => void) | null = null;

  constructor(feed: LiveFeed, onBroadcast: () => void) {
    this.#feed = feed;
    this.#onBroadcast = onBroadcast;
  }

  get subscribers(): number {
    return this.#count;
  }

  /** Returns the end of the subscription. */
  subscribe(filter: MessageFilter, deliver: (frame: LiveFrame) => void): () => void {
    const subscription = { filter, afterSeq: this.#feed.lastSeq(), deliver };
    const places = this.#placesOf(filter);
    for (const place of places) place.add(subscription);
    this.#count += 1;
    this.#stop ??= this.#feed.subscribe((message) => this.#broadcast(message));
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      for (const place of places) place.delete(subscription);
      this.#count -= 1;
      this.#forgetEmptyPlaces(filter);
      if (this.#count === 0) {
        this.#stop?.();
        this.#stop = null;
      }
    };
  }

  #broadcast(message: LiveMessage): void {
    const { facts, seq } = message;
    const frame = frameOf(message);
    this.#onBroadcast();
    const places = [
      this.#bySender.get(facts.sender),
      facts.channel === null ? undefined : this.#byChannel.get(facts.channel),
      this.#byType.get(facts.type),
      this.#others,
    ];
    // A subscription stands in places of one kind only, so none is met twice.
    for (const place of places) {
      for (const subscription of place ?? []) {
        if (seq <= subscription.afterSeq) continue;
        if (this.#feed.matches(subscription.filter, facts)) subscription.deliver(frame);
      }
    }
  }

  #placesOf(filter: MessageFilter): Set<Subscription>[] {
    if (filter.senders !== undefined) return filter.senders.map((sender) => placeIn(this.#bySender, sender));
    if (filter.channels !== undefined)
      return filter.channels.map((channel) => placeIn(this.#byChannel, channel));
    if (filter.types !== undefined) return filter.types.map((type) => placeIn(this.#byType, type));
    return [this.#others];
  }

  #forgetEmptyPlaces({ senders = [], channels = [] }: MessageFilter): void {
    for (const sender of senders) if (this.#bySender.get(sender)?.size === 0) this.#bySender.delete(sender);
    for (const channel of channels)
      if (this.#byChannel.get(channel)?.size === 0) this.#byChannel.delete(channel);
  }
}

function placeIn<Key>(index: Map<Key, Set<Subscription>>, key: Key): Set<Subscription> {
  let place = index.get(key);
  if (place === undefined) {
    place = new Set();
    index.set(key, place);
  }
  return place;
}

function frameOf(message: LiveMessage): LiveFrame {
  let full: Buffer | LongText | undefined;
  let withoutContent: Buffer | undefined;
  return {
    itemHash: message.facts.itemHash,
    heldBytes: message.heldBytes,
    full: () => {
      if (full !== undefined) return full;
      const text = message.full();
      full = typeof text === "string" ? Buffer.from(text) : text;
      return full;
    },
    withoutContent: () => {
      withoutContent ??= Buffer.from(message.withoutContent());
      return withoutContent;
    },
  };
}
