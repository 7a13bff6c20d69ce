import type { Libp2p, Stream } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import type { Timers } from "@twentysix/platform";
import { boundedSource } from "./bounded-source.ts";
import { someTaken } from "./drained.ts";
import { NetworkError } from "./errors.ts";
import type { PeerStream, PeerStreams } from "./peer-streams.ts";

/** Streams of one protocol that one peer may have open at once, over all of its connections. */
const MAX_STREAMS = 32;
/** A stream on which nothing was said by then is somebody else's. */
const FIRST_WORD_MS = 10_000;
/** A peer that takes nothing of what it is sent for so long is left. */
const STALLED_MS = 30_000;

export interface Libp2pStreamsOptions {
  readonly host: Libp2p;
  readonly timers: Timers;
  readonly onHandlerError: (error: unknown, peerId: string, protocol: string) => void;
}

/** Streams over the connections of a libp2p host. */
export class Libp2pStreams implements PeerStreams {
  readonly #options: Libp2pStreamsOptions;
  /** Protocols that peers said they answer. */
  readonly #protocols = new Map<string, ReadonlySet<string>>();
  /** Streams that peers have opened, by protocol and peer. */
  readonly #answering = new Map<string, number>();

  constructor(options: Libp2pStreamsOptions) {
    const { host } = options;
    this.#options = options;
    host.addEventListener("peer:identify", ({ detail }) => {
      this.#protocols.set(detail.peerId.toString(), new Set(detail.protocols));
    });
    host.addEventListener("peer:disconnect", ({ detail }) => {
      this.#protocols.delete(detail.toString());
    });
  }

  async open(peerId: string, protocol: string, signal: AbortSignal): Promise<PeerStream> {
    try {
      const options = { signal, maxOutboundStreams: MAX_STREAMS };
      const stream = await this.#options.host.dialProtocol(peerIdFromString(peerId), protocol, options);
      return streamOf(stream, peerId, this.#options.timers);
    } catch (cause) {
      signal.throwIfAborted();
      throw new NetworkError("NETWORK_PEER_FAILED", `peer ${peerId} does not answer ${protocol}`, { cause });
    }
  }

  handle(protocol: string, handler: (stream: PeerStream) => Promise<void>): () => void {
    const { host, onHandlerError } = this.#options;
    const answer = async (stream: Stream, peerId: string): Promise<void> => {
      const key = `${protocol} ${peerId}`;
      const count = this.#answering.get(key) ?? 0;
      try {
        if (count >= MAX_STREAMS) throw new Error(`the peer has ${count} streams of ${protocol} open`);
        this.#answering.set(key, count + 1);
        await handler(this.#answered(stream, peerId));
      } catch (error) {
        stream.abort(error instanceof Error ? error : new Error(String(error)));
        onHandlerError(error, peerId, protocol);
      } finally {
        if (count < MAX_STREAMS) this.#left(key);
      }
    };
    const options = { maxInboundStreams: MAX_STREAMS };
    // Registering waits for nothing but its own turn.
    void host.handle(
      protocol,
      (stream, connection) => void answer(stream, connection.remotePeer.toString()),
      options,
    );
    return () => void host.unhandle(protocol);
  }

  /** A stream that somebody has opened, and on which he has to say something soon. */
  #answered(stream: Stream, peerId: string): PeerStream {
    const { timers } = this.#options;
    const cancel = timers.schedule(FIRST_WORD_MS, () =>
      stream.abort(new Error(`nothing was said within ${FIRST_WORD_MS / 1_000} s`)),
    );
    stream.addEventListener("close", cancel, { once: true });
    return streamOf(stream, peerId, timers, cancel);
  }

  #left(key: string): void {
    const left = (this.#answering.get(key) ?? 1) - 1;
    if (left === 0) this.#answering.delete(key);
    else this.#answering.set(key, left);
  }

  peersWith(protocol: string): readonly string[] {
    return [...this.#protocols].flatMap(([peerId, protocols]) => (protocols.has(protocol) ? [peerId] : []));
  }
}

function streamOf(
  stream: Stream,
  peerId: string,
  timers: Timers,
  onFirstWord: () => void = () => undefined,
): PeerStream {
  const failure = (cause: unknown): NetworkError =>
    new NetworkError("NETWORK_PEER_FAILED", `the stream with peer ${peerId} broke off`, { cause });
  async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const piece of boundedSource(stream)) {
        onFirstWord();
        yield piece;
      }
    } catch (cause) {
      throw failure(cause);
    }
  }
  return {
    peerId,
    source: source(),
    async send(bytes) {
      try {
        stream.send(bytes);
        while (stream.writableNeedsDrain) await timers.withTimeout(STALLED_MS, () => someTaken(stream));
      } catch (cause) {
        stream.abort(cause instanceof Error ? cause : new Error(String(cause)));
        throw failure(cause);
      }
    },
    async end() {
      try {
        await stream.close();
      } catch (cause) {
        throw failure(cause);
      }
    },
    abort: (reason) => stream.abort(reason),
  };
}
