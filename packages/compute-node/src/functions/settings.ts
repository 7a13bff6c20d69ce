/** What an operator decides about functions. */
export interface FunctionSettings {
  /** Of this node, as its visitors call it; null: unknown. */
  readonly domainName: string | null;
  /** The value of the header `Server`; null: none is added. */
  readonly serverName: string | null;
  /** Of one request; beyond, 413. */
  readonly maxRequestBytes: number;
  /** How long a program waits for its next request before it is stopped; 0: it is stopped after each. */
  readonly reuseTimeoutMs: number;
  /** Whether visitors see the tracebacks of a program. */
  readonly showsTracebacks: (vmHash: string) => boolean;
  readonly coldStarts: ColdStartLimits;
  /** Addresses or networks (CIDR) of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** How long a failed start is remembered: further requests get the same answer meanwhile. */
  readonly failureMemoryMs: number;
  /** Deadline of a whole start, downloads included. */
  readonly startTimeoutMs: number;
  /** How long a visitor may take to send a body: the program has its own time after that. */
  readonly bodyTimeoutMs: number;
  /** A connection that carries nothing for so long is closed, once its answer has begun. */
  readonly stallTimeoutMs: number;
  /** Streamed answers and WebSockets end after so long at the latest. */
  readonly maxStreamMs: number;
  /** Requests to one program that may be under way at once; those of one client among them. */
  readonly maxRequestsPerProgram: number;
  readonly maxRequestsPerClient: number;
  /** Deadlines of programs are multiplied by it: more than 1 without KVM, which is known once there are images. */
  readonly slowness: () => number;
}

export interface ColdStartLimits {
  /** Of one client, on average and at once. */
  readonly perMinute: number;
  readonly burst: number;
  /** Of all clients together. */
  readonly simultaneous: number;
  readonly waiting: number;
}

export const DEFAULT_FUNCTION_SETTINGS: FunctionSettings = {
  domainName: null,
  serverName: null,
  maxRequestBytes: 10_000_000,
  reuseTimeoutMs: 3_600_000,
  showsTracebacks: () => false,
  coldStarts: { perMinute: 20, burst: 20, simultaneous: 64, waiting: 64 },
  trustedProxies: [],
  failureMemoryMs: 5_000,
  startTimeoutMs: 300_000,
  bodyTimeoutMs: 120_000,
  stallTimeoutMs: 120_000,
  maxStreamMs: 3_600_000,
  maxRequestsPerProgram: 256,
  maxRequestsPerClient: 64,
  slowness: () => 1,
};
