import { Socket } from "node:net";
import type { Connection, Libp2p } from "@libp2p/interface";
import { afterTurn, type Logger, type Timers } from "@twentysix/platform";

export interface LinkMonitorOptions {
  readonly host: Libp2p;
  readonly timers: Timers;
  readonly log: Logger;
}

/** Parts of a connection of js-libp2p that it keeps to itself; a test with a silent peer watches over them. */
interface ConnectionInternals {
  readonly muxer?: { readonly ping?: (options: { readonly signal: AbortSignal }) => Promise<number> };
  readonly maConn?: { readonly socket?: unknown };
}

const PERIOD_MS = 3_000;
const TIMEOUT_MS = 5_000;

/**
 * Finds links that are dead without a word, by a ping of the multiplexer: a frame each way, which every peer answers.
 * The ping of libp2p takes a stream of its own; nodes of the existing network take five streams of a connection, those
 * that they refuse included, and then close it.
 *
 * Source: hashicorp/yamux `spec.md`, Ping; rust-libp2p `protocols/gossipsub/src/handler.rs` (0.44),
 * MAX_SUBSTREAM_ATTEMPTS.
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
    for (const connection of this.#options.host.getConnections())
      if (connection.status === "open" && !this.#asked.has(connection)) void this.#ask(connection);
  }

  async #ask(connection: Connection): Promise<void> {
    const { timers, log } = this.#options;
    // The types say what is public; what is needed here is not.
    const { muxer } = connection as ConnectionInternals;
    this.#asked.add(connection);
    const before = receivedBytes(connection);
    try {
      await timers.withTimeout(TIMEOUT_MS, async (signal) => muxer?.ping?.({ signal }), this.#ended.signal);
    } catch (error) {
      // After a moment in which this process did nothing, an answer may be there that was not read yet.
      await new Promise<void>((resolve) => afterTurn(resolve));
      if (this.#ended.signal.aborted || connection.status !== "open") return;
      if (receivedBytes(connection) !== before) return;
      log.debug("A link is dead", { peerId: connection.remotePeer.toString(), error });
      connection.abort(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#asked.delete(connection);
    }
  }
}

function receivedBytes(connection: Connection): number {
  const { maConn } = connection as ConnectionInternals;
  return maConn?.socket instanceof Socket ? maConn.socket.bytesRead : 0;
}
