export { type DenyList, denyListOf } from "./deny-list.ts";
export { NetworkError, type NetworkErrorCode } from "./errors.ts";
export { decodeGossip, encodeGossip } from "./gossip-text.ts";
export { messageIdOf } from "./message-id.ts";
export type { GossipVerdict, Network, NetworkOptions, PublishReport } from "./network.ts";
export { type KnownPeer, PeerBook, type PeerBookFile } from "./peer-book.ts";
export { loadPeerKey, type PeerKey, type PeerKeyKind } from "./peer-key.ts";
export type { PeerStream, PeerStreams } from "./peer-streams.ts";
export { startNetwork } from "./start-network.ts";
