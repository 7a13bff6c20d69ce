import { randomBytes } from "node:crypto";
import type { Connection, Libp2p } from "@libp2p/interface";
import type { Logger, Timers } from "@twentysix/platform";

export interface LinkMonitorOptions {
  readonly host: Libp2p;
  /** Names of the peers that said that they answer a protocol. */
  readonly peersWith: (protocol: string) => readonly string[];
  readonly timers: Timers;
  readonly log: Logger;
}

const PING_PROTOCOL = "/ipfs/ping/1.0.0";
const PING_BYTES = 32;
const PERIOD_MS = 3_000;
const TIMEOUT_MS = 5_000;

/**
 * Finds links that are dead without a word. Only peers that said that they answer a ping are asked: nodes of the
 * existing network take five streams of a connection, those that they refuse included, and then close it.
 *
 * Source: rust-libp2p `protocols/gossipsub/src/handler.rs` (0.44), MAX_SUBSTREAM_ATTEMPTS.
 */
export class LinkMonitor {
  readonly #options: LinkMonitorOptions;
  readonly #asked = new Set<Connection>();
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;

  constructor(options: LinkMonitorOptions) {
    this.#options = options;
    this.#done = options.timers.every(PERIOD_MS, () => this.#look(), {
      signal: this.#ended.signal,
      onError: (error) => options.log.error("Looking for dead links failed", { error }),
    });
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#done;
  }

  #look(): void {
    const { host, peersWith } = this.#options;
    const answering = new Set(peersWith(PING_PROTOCOL));
    for (const connection of host.getConnections())
      if (answering.has(connection.remotePeer.toString()) && !this.#asked.has(connection))
        void this.#ask(connection);
  }

  async #ask(connection: Connection): Promise<void> {
    const { timers, log } = this.#options;
    this.#asked.add(connection);
    try {
      await timers.withTimeout(TIMEOUT_MS, (signal) => ping(connection, signal), this.#ended.signal);
    } catch (error) {
      if (this.#ended.signal.aborted || connection.status !== "open") return;
      log.debug("A link is dead", { peerId: connection.remotePeer.toString(), error });
      connection.abort(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#asked.delete(connection);
    }
  }
}

/** Resolves when the peer has sent back what it was sent. */
async function ping(connection: Connection, signal: AbortSignal): Promise<void> {
  const stream = await connection.newStream(PING_PROTOCOL, { signal });
  const giveUp = (): void => stream.abort(new Error("no answer to a ping"));
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    stream.send(randomBytes(PING_BYTES));
    let receivedBytes = 0;
    for await (const piece of stream) {
      receivedBytes += piece.byteLength;
      if (receivedBytes < PING_BYTES) continue;
      await stream.close({ signal });
      return;
    }
    throw new Error("the peer ended the stream of a ping");
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
