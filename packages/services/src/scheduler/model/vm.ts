import type { Reason } from "./reason.ts";

/** What the scheduler places. Programs that run on demand are none of its business. */
export type VmKind = "instance" | "persistent_program" | "v_program";

/** A device as messages ask for it and nodes report it. */
export interface GpuDevice {
  readonly vendor: string;
  readonly model: string;
  readonly deviceName: string;
  readonly deviceClass: string;
  /** `10de:26b1` */
  readonly deviceId: string;
}

/** The technology that keeps a host out of a guest. */
export type ConfidentialMode = "sev" | "sev_es" | "sev_snp" | "tdx";

/** What the messages of a machine say of it. Its hash is that of the first of them. */
export interface VmFacts {
  readonly vmHash: string;
  readonly kind: VmKind;
  /** `content.address` */
  readonly owner: string;
  readonly sender: string;
  readonly name: string | null;
  /** Time of the first message. */
  readonly createdAtMs: number;
  readonly vcpus: number;
  readonly memoryMib: number;
  /** Root file system and volumes. */
  readonly diskMib: number;
  /** null for programs. */
  readonly hypervisor: "qemu" | "firecracker" | null;
  readonly confidential: ConfidentialMode | null;
  readonly cpu: {
    readonly architecture: string | null;
    readonly vendor: string | null;
    readonly features: readonly string[];
  };
  readonly gpus: readonly GpuDevice[];
  readonly node: {
    readonly nodeHash: string | null;
    readonly owner: string | null;
    readonly addressRegex: string | null;
    readonly termsAndConditions: string | null;
  };
  readonly payment: { readonly type: string; readonly receiver: string | null };
  /** Something on its node's disk is lost when it is started elsewhere from nothing. */
  readonly hasData: boolean;
  /** Processors that one of the launch measurements fits; only of verifiable programs. */
  readonly vcpuTypes: readonly string[];
}

/** What an owner wishes beyond the message, in its aggregate `placement`. */
export interface Wishes {
  /** Machines that shall not be on the same node. */
  readonly spreadWith: readonly string[];
  /** ISO 3166 codes, upper case; empty: anywhere. */
  readonly countries: readonly string[];
  readonly excludedAsns: readonly number[];
  /** May start from nothing elsewhere when its node is lost. */
  readonly hasColdRestart: boolean;
  /** Highest price factor of a node; null: any. */
  readonly maxPriceFactor: number | null;
}

/** What is decided of a machine. Source: scheduler API, `scheduling_status`. */
export type Intent = "unknown" | "scheduled" | "unschedulable" | "unscheduled";

export type PaymentStatus = "validated" | "invalidated";

/** A node said that it does not take a machine. */
export interface Refusal {
  readonly nodeHash: string;
  readonly untilMs: number;
  readonly text: string;
}

/** Where a machine answers, as its node last said. */
export interface VmAddresses {
  readonly ipv6: string | null;
  readonly hostIpv4: string | null;
  /** Guest port to port of the host. */
  readonly mappedPorts: {
    readonly [guestPort: string]: { readonly host: number; readonly tcp: boolean; readonly udp: boolean };
  };
}

/** Its message is gone, or not paid any more, or is of a program that runs on demand now. */
export type EndReason = "deleted" | "payment_removed" | "requirements_changed";

/** A node that a machine was taken from without a word of the node that it has ended there. */
export interface LeftNode {
  readonly nodeHash: string;
  /** It was listed there; otherwise the node may have been told of it. */
  readonly wasThere: boolean;
  /** How long it may run there after the last signed request to the node; null: for ever, as far as is known. */
  readonly fenceMs: number | null;
}

/** A machine that the scheduler knows: rows are never deleted. */
export interface VmRecord {
  readonly facts: VmFacts;
  /** Order in which machines were first seen; unique. */
  readonly order: number;
  /** Its message is in force. */
  readonly isLive: boolean;
  /** Why it is not. */
  readonly endReason: EndReason | null;
  readonly intent: Intent;
  readonly allocatedNode: string | null;
  readonly allocatedAtMs: number | null;
  /** Its node listed it since it was allocated there. */
  readonly isObservedSinceAllocation: boolean;
  /** It ran there, and so may have left something on the node's disk. */
  readonly hasRunSinceAllocation: boolean;
  /** Kept when nobody lists it any more. */
  readonly lastObservedAtMs: number | null;
  readonly lastAddresses: VmAddresses | null;
  /** Since when its node answers without it, and how many pushes that had it were answered meanwhile. */
  readonly missing: { readonly sinceMs: number; readonly pushes: number } | null;
  readonly paymentStatus: PaymentStatus | null;
  readonly reason: Reason | null;
  /** Since when the code of the reason is the same. */
  readonly reasonSinceMs: number | null;
  readonly refusals: readonly Refusal[];
  readonly migration: { readonly targetNode: string; readonly startedAtMs: number } | null;
  /** Nodes that have to end it before it begins elsewhere. Rows of earlier versions lack it. */
  readonly leaving?: readonly LeftNode[];
  readonly updatedAtMs: number;
}
