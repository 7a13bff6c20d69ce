import { createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { NetworkError } from "../../src/errors.ts";
import type { PeerSignatures } from "../../src/peer-signature.ts";
import type { PeerStream, PeerStreams } from "../../src/peer-streams.ts";

/** Pieces that a stream holds before `send` waits. */
const MAX_HELD = 4;

type Handler = (stream: PeerStream) => Promise<void>;

/** A peer among others in one process. */
export interface MemoryPeer {
  readonly peerId: string;
  readonly streams: PeerStreams;
  readonly signatures: PeerSignatures;
  onPeers(listener: (peerId: string, isConnected: boolean) => void): () => void;
  /** Whom it was told of; nobody, until a test says so. */
  readonly told: string[];
  sought(): readonly string[];
  /** What handlers of this peer threw, in their order. */
  readonly handlerErrors: readonly unknown[];
}

/** Peers that reach each other within a process, as long as they are connected. */
export class MemoryNetwork {
  readonly #peers = new Map<string, LocalPeer>();
  readonly #links = new Set<string>();
  readonly #open = new Map<string, Set<Pipe>>();
  /** Bytes that have gone over all streams. */
  bytes = 0;

  peer(peerId: string): MemoryPeer {
    const peer = new LocalPeer(this, peerId);
    this.#peers.set(peerId, peer);
    return peer;
  }

  connect(one: string, other: string): void {
    this.#links.add(linkOf(one, other));
    this.#tell(one, other, true);
  }

  /** The public key that a name belongs to here. */
  keyOf(peerId: string): Uint8Array | null {
    return this.#peers.get(peerId)?.publicKey ?? null;
  }

  /** Streams between them break off. */
  disconnect(one: string, other: string): void {
    const link = linkOf(one, other);
    this.#links.delete(link);
    for (const pipe of this.#open.get(link) ?? []) pipe.break();
    this.#open.delete(link);
    this.#tell(one, other, false);
  }

  isConnected(one: string, other: string): boolean {
    return this.#links.has(linkOf(one, other));
  }

  peersOf(peerId: string, protocol: string): string[] {
    return [...this.#peers.values()].flatMap((peer) =>
      this.isConnected(peerId, peer.peerId) && peer.handlers.has(protocol) ? [peer.peerId] : [],
    );
  }

  open(from: string, to: string, protocol: string): PeerStream {
    const peer = this.#peers.get(to);
    const handler = peer?.handlers.get(protocol);
    if (peer === undefined || handler === undefined || !this.isConnected(from, to))
      throw new NetworkError("NETWORK_PEER_FAILED", `peer ${to} does not answer ${protocol}`);
    const [there, back] = [this.#pipe(from, to), this.#pipe(from, to)];
    const answering = streamOf(from, there, back);
    handler(answering).catch((error: unknown) => {
      peer.handlerErrors.push(error);
      answering.abort(error instanceof Error ? error : new Error(String(error)));
    });
    return streamOf(to, back, there);
  }

  #pipe(one: string, other: string): Pipe {
    const pipe = new Pipe((bytes) => {
      this.bytes += bytes;
    });
    const link = linkOf(one, other);
    const pipes = this.#open.get(link) ?? new Set();
    this.#open.set(link, pipes.add(pipe));
    return pipe;
  }

  #tell(one: string, other: string, isConnected: boolean): void {
    this.#peers.get(one)?.hears(other, isConnected);
    this.#peers.get(other)?.hears(one, isConnected);
  }
}

const linkOf = (one: string, other: string): string => [one, other].sort().join(" ");

class LocalPeer implements MemoryPeer {
  readonly peerId: string;
  readonly streams: PeerStreams;
  readonly handlers = new Map<string, Handler>();
  readonly handlerErrors: unknown[] = [];
  readonly told: string[] = [];
  readonly signatures: PeerSignatures;
  readonly publicKey: Uint8Array;
  readonly #listeners = new Set<(peerId: string, isConnected: boolean) => void>();

  constructor(network: MemoryNetwork, peerId: string) {
    this.peerId = peerId;
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    this.publicKey = publicKey.export({ format: "der", type: "spki" });
    this.signatures = {
      peerId,
      sign: async (bytes) => ({ publicKey: this.publicKey, signature: sign(null, bytes, privateKey) }),
      isSignedBy: async (other, bytes, told) => {
        const key = network.keyOf(other);
        if (key === null || !key.every((byte, at) => byte === told.publicKey[at])) return false;
        const read = createPublicKey({ key: Buffer.from(key), format: "der", type: "spki" });
        return verify(null, bytes, read, told.signature);
      },
    };
    this.streams = {
      open: async (other, protocol, signal) => {
        signal.throwIfAborted();
        return network.open(peerId, other, protocol);
      },
      handle: (protocol, handler) => {
        this.handlers.set(protocol, handler);
        return () => this.handlers.delete(protocol);
      },
      peersWith: (protocol) => network.peersOf(peerId, protocol),
    };
  }

  onPeers(listener: (peerId: string, isConnected: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  sought(): readonly string[] {
    return this.told;
  }

  hears(peerId: string, isConnected: boolean): void {
    for (const listener of this.#listeners) listener(peerId, isConnected);
  }
}

/** One direction: a few pieces on their way. */
class Pipe {
  readonly #pieces: Uint8Array[] = [];
  readonly #onBytes: (bytes: number) => void;
  #isEnded = false;
  #failure: Error | null = null;
  #wake: (() => void)[] = [];

  constructor(onBytes: (bytes: number) => void) {
    this.#onBytes = onBytes;
  }

  async push(piece: Uint8Array): Promise<void> {
    while (this.#pieces.length >= MAX_HELD && this.#failure === null) await this.#change();
    if (this.#failure !== null) throw this.#failure;
    this.#onBytes(piece.byteLength);
    this.#pieces.push(piece.slice());
    this.#changed();
  }

  end(): void {
    this.#isEnded = true;
    this.#changed();
  }

  break(reason?: Error): void {
    this.#failure ??= new NetworkError(
      "NETWORK_PEER_FAILED",
      "the stream broke off",
      reason === undefined ? {} : { cause: reason },
    );
    this.#changed();
  }

  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        this.#changed();
        yield piece;
      } else if (this.#isEnded) return;
      else await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #changed(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}

function streamOf(peerId: string, incoming: Pipe, outgoing: Pipe): PeerStream {
  return {
    peerId,
    source: incoming.read(),
    send: (bytes) => outgoing.push(bytes),
    end: async () => outgoing.end(),
    abort: (reason) => {
      incoming.break(reason);
      outgoing.break(reason);
    },
  };
}
