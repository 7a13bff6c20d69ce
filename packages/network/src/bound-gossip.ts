import type { GossipSub } from "@libp2p/gossipsub";
import type { Libp2p, PeerId, Stream } from "@libp2p/interface";
import { boundedSource } from "./bounded-source.ts";
import type { GossipGate, GossipOutcome } from "./gossip-gate.ts";

interface Validation {
  readonly code: string;
  readonly reason?: string;
}

/** Parts of `@libp2p/gossipsub` that it keeps to itself. */
interface GossipInternals {
  createInboundStream(peer: PeerId, stream: InboundSource): void;
  pipePeerReadStream(peer: PeerId, frames: AsyncIterable<Frame>): Promise<void>;
  validateReceivedMessage(peer: PeerId, message: unknown): Promise<Validation>;
}

type InboundSource = Pick<Stream, "close" | "abort"> & AsyncIterable<Uint8Array>;

interface Frame {
  readonly byteLength: number;
}

/**
 * Gossip of js-libp2p reads whatever a peer sends as fast as it comes, and checks all of it at once. Here each peer is
 * read when it is its turn, and not at all while it has used up what it may cost. To be called before the host starts.
 */
export function boundGossip(host: Libp2p<{ readonly gossip: GossipSub }>, gate: GossipGate): void {
  // The type says what is public; what is needed here is not.
  const gossip = host.services.gossip as unknown as GossipInternals;
  const create = gossip.createInboundStream.bind(gossip);
  gossip.createInboundStream = (peer, stream) => create(peer, heldBack(stream as Stream));
  const pipe = gossip.pipePeerReadStream.bind(gossip);
  gossip.pipePeerReadStream = (peer, frames) => pipe(peer, inTurn(gate, peer.toString(), frames));
  const validate = gossip.validateReceivedMessage.bind(gossip);
  gossip.validateReceivedMessage = (peer, message) =>
    gate.look(peer.toString(), () => validate(peer, message), outcomeOf);
}

/** What it needs of a stream; a whole one it would listen to, and take in whatever comes. */
function heldBack(stream: Stream): InboundSource {
  return {
    close: (options) => stream.close(options),
    abort: (error) => stream.abort(error),
    [Symbol.asyncIterator]: () => boundedSource(stream),
  };
}

async function* inTurn(
  gate: GossipGate,
  peerId: string,
  frames: AsyncIterable<Frame>,
): AsyncGenerator<Frame, void, undefined> {
  for await (const frame of frames) {
    await gate.read(peerId, frame.byteLength);
    yield frame;
  }
}

function outcomeOf({ code, reason }: Validation): GossipOutcome {
  if (code === "valid") return "new";
  if (code === "duplicate") return "known";
  return reason === "reject" || reason === "error" ? "refused" : "passed over";
}
