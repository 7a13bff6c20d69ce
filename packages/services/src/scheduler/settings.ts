/** How a scheduler decides and how often it does what. Times in milliseconds. */
export interface SchedulerSettings {
  /** Only decides and publishes; sends nothing. */
  readonly isDryRun: boolean;
  readonly hasMigrations: boolean;
  /** How long a node must stay unlinked before its machines move. */
  readonly unlinkDebounceMs: number;
  /** Every instance needs a node with public IPv6. */
  readonly requiresPublicIpv6: boolean;
  /** Addresses of nodes may lie in private networks and on this machine. */
  readonly allowsPrivateAddresses: boolean;
  /** Nodes outside of the registry; they count as linked. */
  readonly extraNodes: readonly ExtraNode[];
  /** Nodes that the operator empties, by hash. */
  readonly drainedNodes: readonly string[];
  readonly snapshotPeriodMs: number;
  readonly registryPeriodMs: number;
  /** Between two questions of which machines a node has: also what its leases are renewed by. */
  readonly heartbeatPeriodMs: number;
  readonly heartbeatTimeoutMs: number;
  /** Between two reads of what a node can take. */
  readonly reportPeriodMs: number;
  readonly capabilitiesPeriodMs: number;
  readonly pollTimeoutMs: number;
  /** How many nodes are polled at once. */
  readonly maxPolls: number;
  readonly pushPeriodMs: number;
  readonly pushTimeoutMs: number;
  /** Changes within this time are decided on together. */
  readonly coalesceMs: number;
  readonly roundPeriodMs: number;
  /** How long a machine that was given to another node may take to end on the one that it leaves, before it begins there. */
  readonly handOverMs: number;
  readonly startGraceMs: number;
  readonly missingGraceMs: number;
  /** How long a node that refused a machine is not asked again. */
  readonly refusalMs: number;
  readonly placement: PlacementSettings;
  readonly failover: FailoverSettings;
  readonly migration: MigrationSettings;
  /** A snapshot that lacks more than this share of the machines is not believed. */
  readonly maxVanishedShare: number;
  /** A list is not sent when it drops more of a node's machines without a reason: this share, and this number. */
  readonly maxDroppedShare: number;
  readonly minDropped: number;
  /** How long nothing is sent to a node that stopped machines which this scheduler does not know. */
  readonly foreignPauseMs: number;
  /** How long a scheduler that is gone stays the active one. */
  readonly leaseMs: number;
}

export interface ExtraNode {
  readonly nodeHash: string;
  readonly address: string;
  readonly name: string | null;
}

export interface PlacementSettings {
  /** Virtual processors for each of the machine's. */
  readonly overcommit: number;
  /** Memory that a host keeps: the larger of the two. */
  readonly reservedMemoryMib: number;
  readonly reservedMemoryShare: number;
  /** How long a score of zero is borne. */
  readonly zeroScoreMs: number;
}

export interface FailoverSettings {
  /** Programs without data move when their node was silent for so long. */
  readonly programMs: number;
  /** Instances of which nothing is known, where their owner or this policy lets them start from nothing. */
  readonly instanceMs: number;
  readonly allowsColdRestart: boolean;
  /**
   * How long a node goes on running machines after this scheduler last spoke to it. Nothing is started elsewhere
   * before that has passed since the last request that may have reached the node.
   */
  readonly nodeLeaseMs: number;
  /** Added to it for clocks and for what is slow. */
  readonly fenceMarginMs: number;
  /** Pushes that a node answers without starting the machine. */
  readonly missedPushes: number;
  /** Share of the nodes that may be failed over within the window; at least one. */
  readonly maxNodesShare: number;
  readonly windowMs: number;
  /** Base URLs of schedulers elsewhere that are asked whether they see the node. */
  readonly vantagePoints: readonly string[];
}

export interface MigrationSettings {
  readonly maxAtOnce: number;
  readonly pollMs: number;
  readonly exportTtlMs: number;
  readonly stallMs: number;
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
  readonly maxTargets: number;
  /** How long a machine may run on a target that was not heard of any more: it is moved nowhere else before. */
  readonly unsureMs: number;
}

export const defaultSchedulerSettings: SchedulerSettings = {
  isDryRun: false,
  hasMigrations: true,
  unlinkDebounceMs: 300_000,
  requiresPublicIpv6: true,
  allowsPrivateAddresses: false,
  extraNodes: [],
  drainedNodes: [],
  snapshotPeriodMs: 60_000,
  registryPeriodMs: 10_000,
  heartbeatPeriodMs: 10_000,
  heartbeatTimeoutMs: 5_000,
  reportPeriodMs: 30_000,
  capabilitiesPeriodMs: 300_000,
  pollTimeoutMs: 10_000,
  maxPolls: 64,
  pushPeriodMs: 60_000,
  pushTimeoutMs: 900_000,
  coalesceMs: 250,
  roundPeriodMs: 60_000,
  handOverMs: 180_000,
  startGraceMs: 600_000,
  missingGraceMs: 180_000,
  refusalMs: 600_000,
  placement: { overcommit: 4, reservedMemoryMib: 2_048, reservedMemoryShare: 0.1, zeroScoreMs: 3_600_000 },
  failover: {
    programMs: 50_000,
    instanceMs: 900_000,
    allowsColdRestart: false,
    nodeLeaseMs: 37_000,
    fenceMarginMs: 2_000,
    missedPushes: 5,
    maxNodesShare: 0.1,
    windowMs: 600_000,
    vantagePoints: [],
  },
  migration: {
    maxAtOnce: 5,
    pollMs: 3_000,
    exportTtlMs: 1_800_000,
    stallMs: 600_000,
    firstRetryMs: 60_000,
    maxRetryMs: 1_800_000,
    maxTargets: 3,
    unsureMs: 900_000,
  },
  maxVanishedShare: 0.05,
  maxDroppedShare: 0.2,
  minDropped: 5,
  foreignPauseMs: 600_000,
  leaseMs: 15_000,
};
