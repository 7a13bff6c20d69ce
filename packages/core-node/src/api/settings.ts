import { DEFAULT_LIST_LIMITS, type ListLimits } from "../reader/list-limits.ts";

const MIB = 1024 * 1024;

/** Every limit of the API. docs/limits.md is made from the defaults. */
export interface ApiSettings {
  /** Body of a JSON route, in bytes. */
  readonly maxJsonBodyBytes: number;
  /** Path and query of a request, in bytes. */
  readonly maxUrlBytes: number;
  /** Request line and headers, in bytes. */
  readonly maxHeaderBytes: number;
  /** A client has this long to send the headers. */
  readonly headersTimeoutMs: number;
  /** A client has this long to send a JSON body. */
  readonly bodyTimeoutMs: number;
  /** An upload may pause this long. */
  readonly uploadStallTimeoutMs: number;
  /** A connection on which nothing moves is closed after this. */
  readonly idleTimeoutMs: number;
  /** A kept-alive connection waits this long for its next request. */
  readonly keepAliveTimeoutMs: number;
  /** `sync` submissions wait at most this long. */
  readonly maxSyncTimeoutMs: number;
  readonly uploads: UploadLimits;
  readonly rate: RateLimits;
  readonly websocket: WebsocketLimits;
  readonly lists: ListLimits;
  readonly events: EventStreamLimits;
  /** Files larger than this are not served as base64 JSON. */
  readonly maxBase64FileBytes: number;
  /** Addresses or networks (CIDR) of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** How long a file without a message is kept. */
  readonly gracePeriodMs: number;
}

export interface UploadLimits {
  readonly maxJsonBytes: number;
  /** storage add_file with signed metadata. */
  readonly maxStorageFileBytes: number;
  /** add_file of either engine without metadata. */
  readonly maxUnauthenticatedFileBytes: number;
  readonly maxIpfsFileBytes: number;
  readonly maxCarBytes: number;
  /** The `metadata` part of an upload. */
  readonly maxMetadataBytes: number;
  /** All files together that no message refers to; infinite for no limit. */
  readonly maxGracePeriodBytes: number;
  /** Uploads being received at the same time. */
  readonly maxConcurrent: number;
}

export interface RateLimits {
  /** Units of cost that one address gains each second; 0 switches the limit off. */
  readonly perSecond: number;
  /** Units that one address can hold. */
  readonly burst: number;
  /** Addresses that are remembered. */
  readonly maxAddresses: number;
}

export interface WebsocketLimits {
  readonly maxMessageConnections: number;
  readonly maxStatusConnections: number;
  readonly heartbeatMs: number;
  /** A client has this long to answer a ping. */
  readonly pongTimeoutMs: number;
  /** Bytes that may wait for a slow client before it is dropped. */
  readonly maxQueuedBytes: number;
  /** Messages that may wait while the history, or a long message, is sent, and bytes of them. */
  readonly maxQueuedFrames: number;
  readonly maxHeldBytes: number;
  readonly statusPeriodMs: number;
}

/** Of answers that go on: server-sent events. */
export interface EventStreamLimits {
  readonly maxStreams: number;
  /** Streams of one address, the machine itself left out. */
  readonly maxStreamsPerAddress: number;
  readonly heartbeatMs: number;
  /** Bytes that may wait for a slow client before it is dropped. */
  readonly maxQueuedBytes: number;
}

/** The one place of the defaults; how long files are kept is what the network says. */
export const DEFAULT_API_SETTINGS: Omit<ApiSettings, "gracePeriodMs"> = {
  maxJsonBodyBytes: MIB,
  maxUrlBytes: 64 * 1024,
  maxHeaderBytes: 80 * 1024,
  headersTimeoutMs: 15_000,
  bodyTimeoutMs: 30_000,
  uploadStallTimeoutMs: 30_000,
  idleTimeoutMs: 120_000,
  keepAliveTimeoutMs: 72_000,
  maxSyncTimeoutMs: 30_000,
  uploads: {
    maxJsonBytes: 25 * MIB,
    maxStorageFileBytes: 100 * MIB,
    maxUnauthenticatedFileBytes: 25 * MIB,
    maxIpfsFileBytes: 1024 * MIB,
    maxCarBytes: 4096 * MIB,
    maxMetadataBytes: MIB,
    maxGracePeriodBytes: 10 * 1024 * MIB,
    maxConcurrent: 64,
  },
  rate: { perSecond: 100, burst: 1_000, maxAddresses: 50_000 },
  websocket: {
    maxMessageConnections: 10_000,
    maxStatusConnections: 1_000,
    heartbeatMs: 30_000,
    pongTimeoutMs: 15_000,
    maxQueuedBytes: 4 * MIB,
    maxQueuedFrames: 5_000,
    maxHeldBytes: 16 * MIB,
    statusPeriodMs: 10_000,
  },
  lists: DEFAULT_LIST_LIMITS,
  events: { maxStreams: 200, maxStreamsPerAddress: 8, heartbeatMs: 15_000, maxQueuedBytes: 64 * 1024 },
  maxBase64FileBytes: 100 * MIB,
  trustedProxies: [],
};
