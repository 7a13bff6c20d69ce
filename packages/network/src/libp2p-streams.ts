import type { Libp2p, Stream } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import { NetworkError } from "./errors.ts";
import type { PeerStream, PeerStreams } from "./peer-streams.ts";

/** Streams that one peer may have open at once, by protocol and direction. */
const MAX_STREAMS = 32;

/** Streams over the connections of a libp2p host. */
export class Libp2pStreams implements PeerStreams {
  readonly #host: Libp2p;
  /** Protocols that peers said they answer. */
  readonly #protocols = new Map<string, ReadonlySet<string>>();
  readonly #onHandlerError: (error: unknown, peerId: string, protocol: string) => void;

  constructor(host: Libp2p, onHandlerError: (error: unknown, peerId: string, protocol: string) => void) {
    this.#host = host;
    this.#onHandlerError = onHandlerError;
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
      const stream = await this.#host.dialProtocol(peerIdFromString(peerId), protocol, options);
      return streamOf(stream, peerId);
    } catch (cause) {
      signal.throwIfAborted();
      throw new NetworkError("NETWORK_PEER_FAILED", `peer ${peerId} does not answer ${protocol}`, { cause });
    }
  }

  handle(protocol: string, handler: (stream: PeerStream) => Promise<void>): () => void {
    const answer = async (stream: Stream, peerId: string): Promise<void> => {
      try {
        await handler(streamOf(stream, peerId));
      } catch (error) {
        stream.abort(error instanceof Error ? error : new Error(String(error)));
        this.#onHandlerError(error, peerId, protocol);
      }
    };
    const options = { maxInboundStreams: MAX_STREAMS };
    // Registering waits for nothing but its own turn.
    void this.#host.handle(
      protocol,
      (stream, connection) => void answer(stream, connection.remotePeer.toString()),
      options,
    );
    return () => void this.#host.unhandle(protocol);
  }

  peersWith(protocol: string): readonly string[] {
    return [...this.#protocols].flatMap(([peerId, protocols]) => (protocols.has(protocol) ? [peerId] : []));
  }
}

function streamOf(stream: Stream, peerId: string): PeerStream {
  const failure = (cause: unknown): NetworkError =>
    new NetworkError("NETWORK_PEER_FAILED", `the stream with peer ${peerId} broke off`, { cause });
  async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const piece of stream) yield piece instanceof Uint8Array ? piece : piece.subarray();
    } catch (cause) {
      throw failure(cause);
    }
  }
  return {
    peerId,
    source: source(),
    async send(bytes) {
      try {
        if (!stream.send(bytes)) await stream.onDrain();
      } catch (cause) {
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
