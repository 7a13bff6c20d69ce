import {
  type GossipSub,
  type GossipSubComponents,
  gossipsub,
  StrictSign,
  TopicValidatorResult,
} from "@libp2p/gossipsub";
import { gossipHash, messageIdOf } from "./message-id.ts";

export interface GossipSettings {
  readonly maxFrameBytes: number;
  readonly isPrivate: boolean;
  readonly topics: readonly string[];
  /** What is held against a peer; 0 for nothing. Counts tenfold. */
  readonly scoreOf: (peerId: string) => number;
}

/** How long one payload is known by its id: a repetition within this time goes nowhere. Source: p2p-service `src/p2p/network.rs`. */
const SEEN_MS = 1_800_000;
/** What waits for one slow peer before it is cut off. */
const MAX_OUTBOUND_BYTES = 16 * 1024 * 1024;
const MAX_TOPICS_PER_PEER = 32;
/** To tell all neighbours not to send a small message costs more than to be sent it. */
const MIN_DECLINED_BYTES = 16 * 1024;
const TOPIC_OVERHEAD_BYTES = 1_024;

/**
 * Gossip with the parameters of the existing network. Source: rust-libp2p `protocols/gossipsub/src/config.rs`
 * (0.44), p2p-service `src/p2p/network.rs`.
 */
export function gossipWith({
  maxFrameBytes,
  isPrivate,
  topics,
  scoreOf,
}: GossipSettings): (components: GossipSubComponents) => GossipSub {
  return gossipsub({
    globalSignaturePolicy: StrictSign,
    msgIdFn: ({ data }) => messageIdOf(data),
    // Most of what arrives is known: it is passed over before its signature is looked at.
    fastMsgIdFn: ({ data }) => (data === undefined ? "" : gossipHash(data).toString()),
    msgIdToStrFn: (id) => textOf(id),
    allowedTopics: [...topics],
    D: 6,
    Dlo: 5,
    Dhi: 12,
    Dout: 2,
    Dlazy: 6,
    heartbeatInterval: 1_000,
    fanoutTTL: 60_000,
    mcacheLength: 5,
    mcacheGossip: 3,
    seenTTL: SEEN_MS,
    floodPublish: true,
    idontwantMinDataSize: MIN_DECLINED_BYTES,
    doPX: false,
    fallbackToFloodsub: false,
    emitSelf: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    maxInboundDataLength: maxFrameBytes,
    maxOutboundBufferSize: MAX_OUTBOUND_BYTES,
    maxTopicBytesPerPeer: MAX_TOPICS_PER_PEER * TOPIC_OVERHEAD_BYTES,
    decodeRpcLimits: {
      // More than the existing network takes: its answers to IWANT may hold more, and one too many would lose all.
      maxMessages: 5_000,
      maxSubscriptions: 64,
      maxIhaveMessageIDs: 5_000,
      maxIwantMessageIDs: 5_000,
      maxIdontwantMessageIDs: 512,
      maxControlMessages: 64,
      maxPeerInfos: 16,
    },
    // Nodes of a private network share addresses: counting them would empty the mesh.
    scoreParams: { appSpecificScore: scoreOf, ...(isPrivate ? { IPColocationFactorWeight: 0 } : {}) },
  });
}

const decoder = new TextDecoder();
/** The id is decimal text already. */
const textOf = (id: Uint8Array): string => decoder.decode(id);

export const VERDICTS = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
} as const;
