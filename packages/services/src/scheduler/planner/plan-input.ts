import type { NodeCapabilities, NodeRegistration, NodeReport, NodeStatus } from "../model/node.ts";
import type { Reason } from "../model/reason.ts";
import type { EndReason, Intent, PaymentStatus, Refusal, VmFacts, Wishes } from "../model/vm.ts";
import type { SchedulerSettings } from "../settings.ts";

/** All that a round of planning looks at: the same input gives the same plan, in whatever order its lists are. */
export interface PlanInput {
  readonly nowMs: number;
  readonly settings: PlanSettings;
  readonly vms: readonly PlanVm[];
  readonly nodes: readonly PlanNode[];
  /** Nodes whose machines were started elsewhere lately because they were silent. */
  readonly recentFailovers: readonly string[];
}

export type PlanSettings = Pick<
  SchedulerSettings,
  "hasMigrations" | "unlinkDebounceMs" | "requiresPublicIpv6" | "placement" | "failover" | "migration"
>;

export interface PlanVm {
  readonly facts: VmFacts;
  readonly wishes: Wishes | null;
  readonly isLive: boolean;
  readonly endReason: EndReason | null;
  readonly intent: Intent;
  readonly allocatedNode: string | null;
  readonly allocatedAtMs: number | null;
  readonly isObservedSinceAllocation: boolean;
  readonly hasRunSinceAllocation: boolean;
  /** Nodes that list it. */
  readonly observedOn: readonly string[];
  readonly missing: { readonly sinceMs: number; readonly pushes: number } | null;
  readonly paymentStatus: PaymentStatus | null;
  readonly refusals: readonly Refusal[];
  readonly migrationTarget: string | null;
  /** A migration that failed is not tried again before. */
  readonly migrationNotBeforeMs: number | null;
  /** Nodes on which its migration cannot work. */
  readonly isUnmigratable: boolean;
  /** From when on it cannot run on its node any more, if that stays cut off; null: the node has not promised it. */
  readonly fencedAtMs: number | null;
}

export interface PlanNode {
  readonly registration: NodeRegistration;
  readonly isRegistered: boolean;
  readonly status: NodeStatus;
  readonly unlinkedSinceMs: number | null;
  readonly zeroScoreSinceMs: number | null;
  readonly report: NodeReport | null;
  readonly capabilities: NodeCapabilities | null;
  readonly isRefusing: boolean;
  /** The operator empties it. */
  readonly isDrained: boolean;
  readonly isMigrating: boolean;
  /** Last answer of the node; null: none yet. */
  readonly lastProofMs: number | null;
  /** From when on no program that it was sent can still run, if it stays cut off. */
  readonly fencedAtMs: number;
  /** What another scheduler says of it; null: nobody was asked. */
  readonly secondOpinion: "alive" | "silent" | null;
}

/** What a round decides of one machine. */
export type Decision =
  | {
      readonly vmHash: string;
      readonly action: "keep";
      readonly nodeHash: string;
      readonly reason: Reason | null;
    }
  | {
      readonly vmHash: string;
      readonly action: "place";
      readonly nodeHash: string;
      /** From where it is moved without its disk; null: it had no node. */
      readonly from: string | null;
      readonly reason: Reason | null;
      /** Its node was silent. */
      readonly isFailover: boolean;
    }
  | {
      readonly vmHash: string;
      readonly action: "migrate";
      readonly nodeHash: string;
      readonly from: string;
      readonly reason: Reason;
    }
  | { readonly vmHash: string; readonly action: "unschedulable"; readonly reason: Reason }
  | { readonly vmHash: string; readonly action: "unschedule"; readonly reason: Reason }
  | { readonly vmHash: string; readonly action: "wait"; readonly reason: Reason };

export interface Plan {
  /** One for each machine, by hash. */
  readonly decisions: readonly Decision[];
}
