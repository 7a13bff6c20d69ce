import { isAbortOf, type Logger, type Random, type Timers } from "@twentysix/platform";
import type { CryptoProvider } from "@twentysix/protocol";
import { type Connection, iterateMessages, type MessageObject, watchMessages } from "@twentysix/sdk";
import { authenticEnvelope } from "./authentic-message.ts";

/** A message as a core node processed it. */
export interface FedMessage {
  readonly message: MessageObject;
  /** Whether its sender signed it: costs about a millisecond, so that only those that matter are checked. */
  isAuthentic(): boolean;
}

export type FeedListener = (fed: FedMessage) => void;

export interface MessageFeedOptions {
  readonly connections: readonly Connection[];
  readonly crypto: CryptoProvider;
  readonly timers: Timers;
  readonly random: Random;
  readonly nowSeconds: () => number;
  readonly log: Logger;
  readonly onContact: () => void;
  /** Time of the last message that was told, kept over restarts. */
  readonly position: { read(): number | null; write(seconds: number): void };
}

/** How well the messages are followed. */
export interface FeedFigures {
  readonly isConnected: boolean;
  /** How late the last message came, by its sender's time; null: there was none yet. */
  readonly lagSeconds: number | null;
  readonly messages: number;
}

/** How much is caught up after an absence, at most. */
const MAX_CATCH_UP_SECONDS = 3_600;
/** How far before the last message is looked again: they come in no exact order of time. */
const OVERLAP_SECONDS = 300;
const RECENT = 20_000;
const INITIAL_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
const POSITION_PERIOD_SECONDS = 5;
/** Failures in a row at one core node before the next one is tried. */
const ATTEMPTS_AT_ONE_NODE = 3;

/**
 * Follows the messages of the network at one core node, and at the next when that one fails; what was processed while
 * nobody could be followed is caught up. Each message is told once.
 */
export class MessageFeed {
  readonly #options: MessageFeedOptions;
  readonly #listeners = new Set<FeedListener>();
  readonly #recent = new Set<string>();
  #lastSeconds: number | null;
  #writtenSeconds = 0;
  #isConnected = false;
  #lagSeconds: number | null = null;
  #messages = 0;

  constructor(options: MessageFeedOptions) {
    this.#options = options;
    this.#lastSeconds = options.position.read();
  }

  figures(): FeedFigures {
    return { isConnected: this.#isConnected, lagSeconds: this.#lagSeconds, messages: this.#messages };
  }

  /** Listeners return at once, and throw nothing. */
  subscribe(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends with the signal alone. */
  async run(signal: AbortSignal): Promise<void> {
    const { connections, log, timers, random } = this.#options;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const connection = connections[failures % connections.length];
      if (connection === undefined) return;
      try {
        await this.#follow(connection, signal, () => {
          failures = 0;
        });
      } catch (error) {
        if (isAbortOf(signal, error) || signal.aborted) return;
        log.warn("the messages of a core node cannot be followed", { apiUrl: connection.apiUrl, error });
      }
      const delayMs = Math.min(INITIAL_DELAY_MS * 2 ** Math.min(failures, 10), MAX_DELAY_MS);
      await timers.sleep(delayMs + random.uniform(delayMs), signal).catch(() => {});
    }
  }

  /**
   * All messages of a type that are in force, oldest first, of the first core node that has all to tell: one that fails
   * in the middle is followed by the next one, from the beginning.
   */
  async *stored(type: string, signal: AbortSignal): AsyncGenerator<FedMessage, void, undefined> {
    const { connections, log } = this.#options;
    for (const [index, connection] of connections.entries()) {
      try {
        const messages = iterateMessages(connection, { types: [type], order: "ascending", signal });
        for await (const message of messages) yield this.#fed(message);
        return;
      } catch (error) {
        if (signal.aborted || index === connections.length - 1) throw error;
        log.debug("a core node did not tell all messages", { apiUrl: connection.apiUrl, type, error });
      }
    }
  }

  async #follow(connection: Connection, signal: AbortSignal, onMessage: () => void): Promise<void> {
    const nowSeconds = this.#options.nowSeconds();
    const from = Math.max(
      (this.#lastSeconds ?? nowSeconds) - OVERLAP_SECONDS,
      nowSeconds - MAX_CATCH_UP_SECONDS,
    );
    await this.#catchUp(connection, from, signal);
    const ending = new AbortController();
    const whole = AbortSignal.any([signal, ending.signal]);
    const watched = watchMessages(connection, {
      maxAttempts: ATTEMPTS_AT_ONE_NODE,
      onConnection: (isOpen) => {
        this.#isConnected = isOpen;
      },
      onOpen: () => {
        // Also what came after that look, and before the first that is told by itself.
        this.#catchUp(connection, nowSeconds - OVERLAP_SECONDS, whole).catch((error: unknown) => {
          ending.abort(error);
        });
      },
      signal: whole,
    });
    try {
      for await (const message of watched) {
        onMessage();
        this.#options.onContact();
        this.#tell(message);
      }
    } finally {
      ending.abort();
    }
  }

  async #catchUp(connection: Connection, from: number, signal: AbortSignal): Promise<void> {
    const missed = iterateMessages(connection, { startTimeSeconds: from, order: "ascending", signal });
    for await (const message of missed) this.#tell(message);
  }

  #tell(message: MessageObject): void {
    if (this.#recent.has(message.item_hash)) return;
    this.#recent.add(message.item_hash);
    if (this.#recent.size > RECENT) {
      for (const oldest of this.#recent) {
        this.#recent.delete(oldest);
        break;
      }
    }
    this.#messages += 1;
    this.#lagSeconds = Math.max(0, this.#options.nowSeconds() - message.time);
    const fed = this.#fed(message);
    for (const listener of this.#listeners) listener(fed);
    this.#remember(message.time);
  }

  #fed(message: MessageObject): FedMessage {
    let verdict: boolean | null = null;
    const isAuthentic = (): boolean => {
      verdict ??= authenticEnvelope(message, this.#options.crypto) !== null;
      return verdict;
    };
    return { message, isAuthentic };
  }

  /** The time of a message is its sender's claim: one from the future must not hide what comes. */
  #remember(seconds: number): void {
    const known = Math.min(seconds, this.#options.nowSeconds());
    if (known <= (this.#lastSeconds ?? 0)) return;
    this.#lastSeconds = known;
    if (known - this.#writtenSeconds < POSITION_PERIOD_SECONDS) return;
    this.#writtenSeconds = known;
    this.#options.position.write(known);
  }
}
