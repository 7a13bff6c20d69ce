import { noise } from "@chainsafe/libp2p-noise";
import { identify } from "@libp2p/identify";
import type { Libp2p } from "@libp2p/interface";
import { ping } from "@libp2p/ping";
import { createLibp2p, type Libp2pOptions } from "libp2p";
import { boundGossip } from "./bound-gossip.ts";
import { connectionGate } from "./connection-gate.ts";
import { NetworkError } from "./errors.ts";
import { gatheringTcp } from "./gathered-writes.ts";
import { gossipWith } from "./gossip.ts";
import { GossipGate } from "./gossip-gate.ts";
import { Libp2pNetwork, type NetworkServices } from "./libp2p-network.ts";
import { mendGossip } from "./mend-gossip.ts";
import type { Network, NetworkOptions } from "./network.ts";
import { PeerBook } from "./peer-book.ts";
import { relayOnce } from "./relay-once.ts";
import { yamuxWithFewUpdates } from "./window-updates.ts";

/** Connections at once, and those that are being made. */
const MAX_CONNECTIONS = 300;
const MAX_PENDING_CONNECTIONS = 64;
/** New connections a second from one address. */
const MAX_CONNECTIONS_PER_HOST = 10;
const STOPPED_TIMEOUT_MS = 2_000;
/** Until a connection has to be encrypted and named; what one host may begin meanwhile is less than may be pending. */
const UPGRADE_TIMEOUT_MS = 5_000;
const MAX_STREAMS_OF_CONNECTION = 256;
/** What a peer may send on a stream before it is read; has to be less than the library holds of one (4 MiB). */
const MAX_WINDOW_BYTES = 2 * 1024 * 1024;

/**
 * Starts this node's side of a network: listens, calls the peers that it knows, takes part in gossip.
 *
 * @throws NetworkError NETWORK_LISTEN_FAILED
 */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const book = new PeerBook(await options.book.read());
  const gate = new GossipGate(options);
  const host = await createHost(options, gate);
  try {
    await host.start();
  } catch (cause) {
    const addresses = options.listen.join(", ");
    const message = `peers cannot be listened to at ${addresses}: choose another --p2p-port, or end what uses it`;
    throw new NetworkError("NETWORK_LISTEN_FAILED", message, { cause });
  }
  return new Libp2pNetwork(host, book, gate, options);
}

async function createHost(options: NetworkOptions, gate: GossipGate): Promise<Libp2p<NetworkServices>> {
  const { key, listen, announce, topics, maxFrameBytes, isPrivate } = options;
  const gossip = gossipWith({
    maxFrameBytes,
    isPrivate,
    topics: [topics.messages, topics.alive],
    scoreOf: (peerId) => options.opinions?.scoreOf(peerId) ?? 0,
  });
  const settings = {
    start: false,
    nodeInfo: { name: "twentysix", version: options.version },
    privateKey: key.privateKey,
    addresses: { listen: [...listen], announce: [...announce] },
    transports: [gatheringTcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamuxWithFewUpdates({
        maxInboundStreams: MAX_STREAMS_OF_CONNECTION,
        streamOptions: { maxStreamWindowSize: MAX_WINDOW_BYTES },
      }),
    ],
    connectionGater: connectionGate(options),
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      maxIncomingPendingConnections: MAX_PENDING_CONNECTIONS,
      inboundConnectionThreshold: isPrivate ? Number.POSITIVE_INFINITY : MAX_CONNECTIONS_PER_HOST,
      inboundUpgradeTimeout: UPGRADE_TIMEOUT_MS,
      connectionCloseTimeout: STOPPED_TIMEOUT_MS,
    },
    // It asks over a stream, which some peers answer by closing the connection; see `LinkMonitor`.
    connectionMonitor: { enabled: false },
    services: {
      identify: identify({ protocolPrefix: "ipfs" }),
      ping: ping(),
      gossip,
    },
  } satisfies Libp2pOptions<NetworkServices>;
  const host = await createLibp2p<NetworkServices>(settings);
  mendGossip(host);
  boundGossip(host, gate);
  relayOnce(host, options);
  return host;
}
