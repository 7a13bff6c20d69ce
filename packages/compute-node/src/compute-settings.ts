import type { CapacitySettings } from "./executions/admission/capacity.ts";

/** Everything about a compute node that its operator may choose. Source: aleph-vm `conf.py`. */
export interface ComputeSettings {
  readonly identity: IdentitySettings;
  readonly allocation: AllocationSettings;
  readonly payment: PaymentSettings;
  readonly capacity: CapacitySettings;
  readonly starts: StartSettings;
  readonly lease: LeaseSettings;
  readonly retention: RetentionSettings;
  readonly checks: CheckSettings;
  readonly network: NetworkSettings;
  readonly functions: FunctionLimits;
  readonly storage: StorageSettings;
}

export interface IdentitySettings {
  /** Bare public host name; what owners sign. */
  readonly domainName: string;
  /** How others reach this node; null: `https://DOMAIN_NAME`. */
  readonly publicUrl: string | null;
  /** Of its registration; null: found by the owner's posts. */
  readonly nodeHash: string | null;
  readonly ownerAddress: string | null;
  /** null: those that its registration announces. */
  readonly termsAndConditions: string | null;
  /** The aggregate that is the network's registry of nodes; null: it has none. */
  readonly registry: { readonly address: string; readonly key: string } | null;
}

export interface AllocationSettings {
  /** Addresses that may allocate; empty: those of the settings aggregate, or else `defaultSigners`. */
  readonly signers: readonly string[];
  readonly defaultSigners: readonly string[];
  /** SHA-256 of the token of older schedulers; null: refused. */
  readonly tokenHash: string | null;
  readonly maxAgeSeconds: number;
  /** Publisher of the network's `settings`; null: there is none. */
  readonly settingsAddress: string | null;
  /** Of the machines that a scheduler governs, one list may drop this many without being told that it means it. */
  readonly maxDropped: number;
  readonly maxDroppedShare: number;
  /** A plan that was not sent again for so long governs no more. */
  readonly planTtlMs: number;
}

export interface PaymentSettings {
  /** null: the owner's address. */
  readonly receiverAddress: string | null;
  readonly monitorPeriodMs: number;
  /** Rounds in a row that a payer must be short of before anything stops. */
  readonly strikes: number;
  /** Core nodes that must say so before anything stops, as far as so many are known. */
  readonly minAgreeing: number;
}

export interface StartSettings {
  readonly maxParallel: number;
  readonly prepareTimeoutMs: number;
  /** On hardware; multiplied where guests are emulated. */
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly eraseTimeoutMs: number;
}

/** A machine ends after `contactMaxAgeMs` + `leaseMs` without contact; see `Fences` for when others start it. */
export interface LeaseSettings {
  readonly leaseMs: number;
  readonly renewalPeriodMs: number;
  readonly contactMaxAgeMs: number;
  /** How often core nodes are asked for a sign of life. */
  readonly contactPeriodMs: number;
  /** When they may have, where a scheduler says nothing of it. */
  readonly takenOverAfterMs: number;
}

export interface RetentionSettings {
  readonly recordMs: number;
  readonly stoppedMs: number;
  readonly idleProgramMs: number;
}

export interface CheckSettings {
  readonly ipv4Url: string;
  readonly ipv6Url: string;
  readonly dnsHostname: string;
  readonly httpUrls: readonly string[];
  readonly fastapiHash: string | null;
  readonly legacyFastapiHash: string | null;
}

export interface NetworkSettings {
  readonly ipv4Pool: string;
  readonly ipv6Pool: string;
  readonly ipv6Policy: "static" | "dynamic";
  readonly ipv6SubnetPrefix: number;
  readonly ipv6Forwarding: boolean;
  /** null: that of the default route. */
  readonly interfaceName: string | null;
  readonly firstHostPort: number;
  readonly lastHostPort: number;
  readonly dnsServers: readonly string[];
}

export interface FunctionLimits {
  /** How long a program that nobody calls goes on running. */
  readonly reuseMs: number;
  /** How long running calls have when the node stops. */
  readonly drainMs: number;
  readonly watchesMessages: boolean;
  /** Where machines may have vsock, the init of a runtime goes before our agent; else it runs where the agent cannot. */
  readonly prefersOwnInit: boolean;
  /** Addresses or networks (CIDR) of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
}

export interface StorageSettings {
  /** Of downloaded files, all together. */
  readonly cacheQuotaBytes: number;
  /** Largest image that an instance may be made of. */
  readonly maxParentBytes: number;
  /** Templates of functions on the disk. */
  readonly maxTemplates: number;
  readonly templateQuotaBytes: number;
  /** What a machine may read and write on its disks together, for each of its processors; null: not limited. */
  readonly diskBytesPerSecondPerVcpu: number | null;
}

/** The reference that this node stands in for: clients and rankings compare it with what they need. */
export const REFERENCE_VERSION = "1.13.0";

const DAY_MS = 86_400_000;
const GIB = 1_073_741_824;

export const DEFAULT_COMPUTE_SETTINGS: ComputeSettings = {
  identity: {
    domainName: "localhost",
    publicUrl: null,
    nodeHash: null,
    ownerAddress: null,
    termsAndConditions: null,
    registry: null,
  },
  allocation: {
    signers: [],
    defaultSigners: [],
    tokenHash: null,
    maxAgeSeconds: 300,
    settingsAddress: null,
    maxDropped: 5,
    maxDroppedShare: 0.2,
    planTtlMs: 1_800_000,
  },
  payment: { receiverAddress: null, monitorPeriodMs: 60_000, strikes: 3, minAgreeing: 2 },
  capacity: {
    hostMemoryReservedMib: null,
    programMemoryReservedMib: null,
    vcpuOvercommit: 4,
    diskReservedMib: null,
  },
  starts: {
    maxParallel: 4,
    prepareTimeoutMs: 1_800_000,
    startTimeoutMs: 120_000,
    stopTimeoutMs: 90_000,
    eraseTimeoutMs: 120_000,
  },
  lease: {
    leaseMs: 20_000,
    renewalPeriodMs: 5_000,
    contactMaxAgeMs: 15_000,
    contactPeriodMs: 5_000,
    takenOverAfterMs: 60_000,
  },
  retention: { recordMs: 90 * DAY_MS, stoppedMs: 14 * DAY_MS, idleProgramMs: 7 * DAY_MS },
  checks: {
    ipv4Url: "https://1.1.1.1/",
    ipv6Url: "https://[2606:4700:4700::1111]/",
    dnsHostname: "example.org",
    httpUrls: [
      "http://detectportal.firefox.com/success.txt",
      "https://connectivity-check.ubuntu.com/",
      "https://www.gstatic.com/generate_204",
    ],
    fastapiHash: null,
    legacyFastapiHash: null,
  },
  network: {
    ipv4Pool: "172.16.0.0/12",
    ipv6Pool: "fc00:1:2:3::/64",
    ipv6Policy: "static",
    ipv6SubnetPrefix: 124,
    ipv6Forwarding: true,
    interfaceName: null,
    firstHostPort: 24_000,
    lastHostPort: 65_534,
    dnsServers: ["1.1.1.1", "2606:4700:4700::1111"],
  },
  functions: {
    reuseMs: 3_600_000,
    drainMs: 30_000,
    watchesMessages: true,
    prefersOwnInit: false,
    trustedProxies: [],
  },
  storage: {
    cacheQuotaBytes: 50 * GIB,
    maxParentBytes: 20 * GIB,
    maxTemplates: 32,
    templateQuotaBytes: 20 * GIB,
    diskBytesPerSecondPerVcpu: null,
  },
};

/** How others reach the node. */
export function publicUrlOf({ publicUrl, domainName }: IdentitySettings): string {
  return publicUrl ?? `https://${domainName}`;
}
