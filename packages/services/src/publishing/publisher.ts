import { type Logger, Semaphore } from "@twentysix/platform";
import type { Account, MessageType } from "@twentysix/protocol";
import {
  buildMessage,
  type Connection,
  type ContentInput,
  isSdkError,
  submitMessage,
  uploadFile,
  waitForStatus,
} from "@twentysix/sdk";
import type { MessageJournal, UnsettledMessage } from "./message-journal.ts";

export interface Publication {
  readonly account: Account;
  readonly type: Extract<MessageType, "POST" | "AGGREGATE">;
  readonly content: ContentInput;
  readonly channel?: string | null;
  /** The present by default. With the same time and content it is the same message. */
  readonly timeMicros?: bigint;
}

export interface PublisherOptions {
  readonly connection: Connection;
  readonly journal: MessageJournal;
  readonly log: Logger;
}

/** How long the network may take to apply a message before the attempt ends; the message stays in the journal. */
const SETTLE_TIMEOUT_MS = 120_000;
const MAX_WAITING = 256;

/**
 * Publishes messages one after the other, each until the node has applied it. A message that a crash or a lost node
 * left unsettled is settled before the next is written.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #turn = new Semaphore({ permits: 1, maxWaiters: MAX_WAITING });

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /**
   * Gives the item hash once the message is applied.
   *
   * Errors: those of `submitMessage` and `waitForStatus`; PlatformError SEMAPHORE_WAITERS_EXCEEDED.
   */
  publish(publication: Publication, signal: AbortSignal): Promise<string> {
    return this.#turn.run(async () => {
      await this.#settleEarlier(signal);
      const entry = await this.#build(publication, signal);
      await this.#options.journal.keep(entry);
      await this.#settle(entry, signal);
      return entry.message.item_hash;
    }, signal);
  }

  /** Settles what an earlier run left behind, before anything is read that depends on it. */
  settleEarlier(signal: AbortSignal): Promise<void> {
    return this.#turn.run(() => this.#settleEarlier(signal), signal);
  }

  async #settleEarlier(signal: AbortSignal): Promise<void> {
    const entry = await this.#options.journal.load();
    if (entry === null) return;
    const { item_hash: itemHash } = entry.message;
    this.#options.log.info("settling a message of an earlier attempt", { itemHash });
    try {
      await this.#upload(entry, signal);
      await this.#settle(entry, signal);
    } catch (error) {
      if (!isSdkError(error, "SDK_REJECTED") && !isSdkError(error, "SDK_GONE")) throw error;
      this.#options.log.error("a message of an earlier attempt is not accepted", { itemHash, error });
    }
  }

  async #build(publication: Publication, signal: AbortSignal): Promise<UnsettledMessage> {
    const { connection } = this.#options;
    const { account, type, content, channel = null } = publication;
    const timeMicros = publication.timeMicros ?? connection.clock.next(account.timeStepMicros);
    let stored: string | null = null;
    const message = await buildMessage({
      account,
      type,
      content,
      channel,
      timeMicros,
      uploadContent: (bytes) => {
        stored = Buffer.from(bytes).toString("base64");
        return uploadFile(connection, { file: bytes, signal });
      },
    });
    return { message, content: stored };
  }

  async #upload({ content }: UnsettledMessage, signal: AbortSignal): Promise<void> {
    if (content === null) return;
    await uploadFile(this.#options.connection, { file: Buffer.from(content, "base64"), signal });
  }

  async #settle({ message }: UnsettledMessage, signal: AbortSignal): Promise<void> {
    const { connection, journal } = this.#options;
    const { item_hash: itemHash } = message;
    try {
      const { status } = await submitMessage(connection, { message, sync: true, signal });
      if (status === "pending") {
        await waitForStatus(connection, { itemHash, timeoutMs: SETTLE_TIMEOUT_MS, signal });
      }
      await journal.clear();
    } catch (error) {
      // A refusal is final: kept, it would stand in the way of all that follow.
      if (isSdkError(error, "SDK_REJECTED") || isSdkError(error, "SDK_GONE")) await journal.clear();
      throw error;
    }
  }
}
