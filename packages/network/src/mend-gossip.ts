import type { GossipSub } from "@libp2p/gossipsub";
import type { Connection, Libp2p, PeerId } from "@libp2p/interface";

interface Rpc {
  readonly subscriptions: readonly unknown[];
  readonly messages: readonly unknown[];
}

/** Parts of `@libp2p/gossipsub` that it keeps to itself; tests with a peer of another implementation watch over them. */
interface GossipInternals {
  readonly streamsOutbound: ReadonlyMap<string, unknown>;
  /** IHAVE that rides on the next frame to a peer. */
  readonly gossip: ReadonlyMap<string, unknown>;
  sendRpc(peerId: string, rpc: Rpc): boolean;
  onPeerConnected(peer: PeerId, connection: Connection): void;
  handlePeerReadStreamError(error: Error, peer: PeerId): void;
}

/** Names of errors by which a frame breaks the rules; any other is the end of a stream. */
const BAD_FRAMES: ReadonlySet<string> = new Set(["InvalidDataLengthError", "InvalidDataLengthLengthError"]);

/**
 * Makes gossip of js-libp2p get along with nodes of the existing network, which open several connections with one peer,
 * say what they subscribe to once for all of them, answer no identify, and take no frame over the limit. To be called
 * before the host starts.
 */
export function mendGossip(host: Libp2p<{ readonly gossip: GossipSub }>): void {
  // The type says what is public; what is needed here is not.
  const gossip = host.services.gossip as unknown as GossipInternals;
  sendMessagesApart(gossip);
  keepPeersWithConnections(host, gossip);
  openStreamsAtOnce(host, gossip);
}

/** A frame with several messages, or with a message and what rides on it, could exceed the limit: the peer would end the stream. */
function sendMessagesApart(gossip: GossipInternals): void {
  const send = gossip.sendRpc.bind(gossip);
  gossip.sendRpc = (peerId, rpc) => {
    if (rpc.messages.length === 0 || (rpc.messages.length === 1 && !gossip.gossip.has(peerId)))
      return send(peerId, rpc);
    // Whatever rides on a frame goes with the first.
    if (!send(peerId, { ...rpc, messages: [] })) return false;
    return rpc.messages.every((message) => send(peerId, { subscriptions: [], messages: [message] }));
  };
}

/** The end of one of several connections would make it forget what the peer subscribes to, which is not said again. */
function keepPeersWithConnections(host: Libp2p, gossip: GossipInternals): void {
  const forget = gossip.handlePeerReadStreamError.bind(gossip);
  gossip.handlePeerReadStreamError = (error, peer) => {
    const isConnected = host.getConnections(peer).some(({ status }) => status === "open");
    if (isConnected && !BAD_FRAMES.has(error.name)) return;
    forget(error, peer);
    // What it sends cannot be read any further on any of its connections.
    if (isConnected) for (const connection of host.getConnections(peer)) connection.abort(error);
  };
}

/** Streams are opened with every peer, without waiting for what it says of itself, and anew when their connection ends. */
function openStreamsAtOnce(host: Libp2p, gossip: GossipInternals): void {
  host.addEventListener("connection:open", ({ detail }) => gossip.onPeerConnected(detail.remotePeer, detail));
  host.addEventListener("connection:close", ({ detail: { remotePeer } }) => {
    const other = host.getConnections(remotePeer).find(({ status }) => status === "open");
    if (other !== undefined && !gossip.streamsOutbound.has(remotePeer.toString()))
      gossip.onPeerConnected(remotePeer, other);
  });
}
