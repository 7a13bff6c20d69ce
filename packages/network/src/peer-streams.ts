/** A two-way stream of bytes between this node and a peer. */
export interface PeerStream {
  readonly peerId: string;
  /** What the peer sends, in pieces of any size; ends when it has sent everything. Throws NETWORK_PEER_FAILED. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Resolves when there is room for more; bytes of one call may not exceed 1 MiB. Throws NETWORK_PEER_FAILED. */
  send(bytes: Uint8Array): Promise<void>;
  /** Everything is sent; what the peer still sends can be read. */
  end(): Promise<void>;
  /** Gives the stream up at once. */
  abort(reason: Error): void;
}

/** Streams of any protocol to and from connected peers, over whatever carries them. */
export interface PeerStreams {
  /** Opens a stream to a peer that is connected, or whose address is known. @throws NetworkError NETWORK_PEER_FAILED */
  open(peerId: string, protocol: string, signal: AbortSignal): Promise<PeerStream>;
  /** Answers streams of a protocol until the returned function is called. An error of the handler ends its stream. */
  handle(protocol: string, handler: (stream: PeerStream) => Promise<void>): () => void;
  /** Peers that are connected and answer this protocol, as far as is known. */
  peersWith(protocol: string): readonly string[];
}
