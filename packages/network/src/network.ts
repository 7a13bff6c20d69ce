import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import type { DenyList } from "./deny-list.ts";
import type { GossipFigures } from "./gossip-gate.ts";
import type { PeerBook, PeerBookFile } from "./peer-book.ts";
import type { PeerKey } from "./peer-key.ts";
import type { PeerSignatures } from "./peer-signature.ts";
import type { PeerStreams } from "./peer-streams.ts";

/**
 * What became of a gossiped message: `accept` passes it on, `ignore` does not, `reject` counts against whoever passed it
 * on.
 */
export type GossipVerdict = "accept" | "ignore" | "reject";

/** To how many peers a message went at once; each passes it on. */
export interface PublishReport {
  readonly recipients: number;
}

export interface NetworkOptions {
  readonly key: PeerKey;
  /** Multiaddresses without the name of the peer, such as `/ip4/0.0.0.0/tcp/4025`. */
  readonly listen: readonly string[];
  /** What others are told, in place of what this host sees of itself; empty: that. */
  readonly announce: readonly string[];
  readonly topics: { readonly messages: string; readonly alive: string };
  /** Multiaddresses that end in `/p2p/…`; tried for as long as the node runs. */
  readonly bootstrap: readonly string[];
  /** Where this node's API is reached by others; null: nowhere. */
  readonly apiUrl: string | null;
  /** Told to peers, for their operators. */
  readonly version: string;
  /** What the rules of its network hash to; peers that announce another hash are left alone. */
  readonly networkHash: string;
  /** Whose announcements are heeded, beside those of bootstrap peers. */
  readonly mayAnnounce: (peerId: string) => boolean;
  /** Bytes of the largest frame that peers take. */
  readonly maxFrameBytes: number;
  /** Its peers share addresses, and may be anywhere. */
  readonly isPrivate: boolean;
  readonly denied: DenyList;
  /** What this node thinks of its peers; by default it has no opinion. */
  readonly opinions?: PeerOpinions;
  readonly book: PeerBookFile;
  /** Judges a message before it is passed on. What its bytes may mean, the likelier reading first. */
  readonly onMessage: (readings: readonly string[], peerId: string) => Promise<GossipVerdict>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** What is held against peers, beside what gossip notices by itself. */
export interface PeerOpinions {
  /** 0 for nothing, below it what gossip is to take off: at -1 nothing is gossiped to a peer, at -8 it is not heard. */
  scoreOf(peerId: string): number;
  /** It is not to be connected for now. */
  isBarred(peerId: string): boolean;
}

/** This node among its peers. */
export interface Network {
  readonly peerId: string;
  /** With the name of the peer at the end. */
  multiAddresses(): readonly string[];
  /** Names of the peers that are connected. */
  peers(): readonly string[];
  /** Names of those that it would be connected with: the ones it was told of, and that were heard of within a day. */
  sought(): readonly string[];
  readonly book: Pick<PeerBook, "get" | "all">;
  readonly streams: PeerStreams;
  /** Statements of peers, this one among them. */
  readonly signatures: PeerSignatures;
  /**
   * Publishes the text of a message; where nobody is there it is sent to whoever comes first.
   *
   * @throws NetworkError NETWORK_FRAME_TOO_LARGE
   */
  publish(text: string): Promise<PublishReport>;
  /** How gossip is held back; null where nothing holds it. */
  gossipFigures(): GossipFigures | null;
  /** Ends the connections with a peer. */
  disconnect(peerId: string): void;
  /** Calls back when a peer is connected or gone. Returns the end of it. */
  onPeers(listener: (peerId: string, isConnected: boolean) => void): () => void;
  close(): Promise<void>;
}
