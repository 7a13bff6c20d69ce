import type { MessageType } from "@twentysix/protocol";
import type { LiveMessage, LongText, MessageFilter } from "@twentysix/storage";
import type { LiveFeed } from "../services.ts";

/** A message as the sockets get it, each variant encoded once, and only when somebody wants it. */
export interface LiveFrame {
  readonly seq: number;
  readonly itemHash: string;
  /** What is held of it. */
  readonly heldBytes: number;
  /** A long text is read by each socket for itself, as fast as its client takes it. */
  readonly full: () => Buffer | LongText;
  readonly withoutContent: () => Buffer;
}

interface Subscription {
  readonly filter: MessageFilter;
  /** Takes a frame: keeps it while it is not known whether it could be read before. */
  take(frame: LiveFrame): void;
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
  /** The end of listening to the node. */
  #stop: Promise<() => void> | null = null;

  constructor(feed: LiveFeed, onBroadcast: () => void) {
    this.#feed = feed;
    this.#onBroadcast = onBroadcast;
  }

  get subscribers(): number {
    return this.#count;
  }

  /**
   * Resolves with the end of the subscription, once everything that it is not told can be read.
   * Later messages are told, earlier ones are not.
   */
  async subscribe(filter: MessageFilter, deliver: (frame: LiveFrame) => void): Promise<() => void> {
    const early: LiveFrame[] = [];
    const subscription: Subscription = { filter, take: (frame) => early.push(frame) };
    const leave = this.#join(subscription);
    try {
      await this.#stop;
      const afterSeq = await this.#feed.lastSeq();
      subscription.take = (frame) => {
        if (frame.seq > afterSeq) deliver(frame);
      };
      for (const frame of early) subscription.take(frame);
      return leave;
    } catch (error) {
      leave();
      throw error;
    }
  }

  #join(subscription: Subscription): () => void {
    const places = this.#placesOf(subscription.filter);
    for (const place of places) place.add(subscription);
    this.#count += 1;
    this.#stop ??= this.#feed.subscribe((message) => this.#broadcast(message));
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      for (const place of places) place.delete(subscription);
      this.#count -= 1;
      this.#forgetEmptyPlaces(subscription.filter);
      if (this.#count === 0) this.#stopListening();
    };
  }

  #stopListening(): void {
    // Where listening did not begin, whoever asked for it was told.
    this.#stop?.then(
      (stop) => stop(),
      () => undefined,
    );
    this.#stop = null;
  }

  #broadcast(message: LiveMessage): void {
    const { facts } = message;
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
        if (this.#feed.matches(subscription.filter, facts)) subscription.take(frame);
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
    seq: message.seq,
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
