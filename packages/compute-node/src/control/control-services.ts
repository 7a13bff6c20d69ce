import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import type { CryptoProvider } from "@twentysix/protocol";
import type { FastifyInstance } from "fastify";
import type { Registry } from "prom-client";
import type { ComputeSettings } from "../compute-settings.ts";
import type { Admission } from "../executions/admission/admission.ts";
import type { NodeFacts } from "../executions/admission/requirements.ts";
import type { ExecutionStore } from "../executions/execution-store.ts";
import type { Executions } from "../executions/executions.ts";
import type { HypervisorCapabilities } from "../hypervisor/hypervisor.ts";
import type { HostImageState } from "../images/host-image-keeper.ts";
import type { CoreNodeClient } from "../messages/core-node-client.ts";
import type { VmAddresses } from "../networking/vm-network.ts";
import type { PaymentGate } from "../payments/payment-gate.ts";
import type { OwnerAuth } from "./auth/owner-auth.ts";
import type { SchedulerAuth } from "./auth/scheduler-auth.ts";
import type { HostReport } from "./host-report.ts";
import type { InstanceServices } from "./instance-services.ts";
import type { VmLogs } from "./logs/vm-logs.ts";
import type { NodeHealth } from "./node-health.ts";
import type { AllocationPlans } from "./plans/allocation-plans.ts";

/** What the HTTP API of a compute node works with. */
export interface ControlServices {
  readonly executions: Executions;
  readonly store: Pick<ExecutionStore, "lastRecord" | "reason" | "fact" | "setFact">;
  readonly admission: Pick<Admission, "measure" | "assertFits" | "reserve" | "headRoom">;
  /** Figures of this node. */
  readonly registry: Registry;
  readonly health: () => NodeHealth;
  readonly coreNodes: CoreNodeClient;
  readonly payments: PaymentGate;
  readonly plans: AllocationPlans;
  readonly instances: InstanceServices;
  readonly logs: VmLogs;
  readonly host: HostReport;
  readonly node: () => NodeFacts;
  /** Ports that serve custom domains of instances; null: none does. */
  readonly domainPorts: () => { readonly http: number | null; readonly tls: number | null };
  readonly capabilities: () => HypervisorCapabilities;
  /** Of what functions boot with. */
  readonly hostImages: () => HostImageState;
  readonly networks: NetworkControl;
  readonly functions: FunctionRoutes;
  readonly ownerAuth: OwnerAuth;
  readonly schedulerAuth: SchedulerAuth;
  /** Shown once to the operator, on the disk of the node; changes with each start. */
  readonly loginToken: string;
  /** Signs links to backups; kept over restarts. */
  readonly linkSecret: Buffer;
  readonly settings: ComputeSettings;
  /** Of the reference, which clients compare with what they need. */
  readonly version: string;
  readonly ownVersion: string;
  /** The core node that is asked first. */
  readonly apiServer: string;
  /** Chains of streams, as `/status/config` lists them. */
  readonly availableChains: Readonly<Record<string, object>>;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** Networks of machines as the API speaks of them. */
export interface NetworkControl {
  /** Addresses follow from the machine alone, whether it runs or not. */
  addressesOf(vmHash: string): VmAddresses | null;
  /** Whether others reach them. */
  readonly isReachable: boolean;
  /** IPv4 address under which the ports of machines are reached. */
  hostIpv4(): string;
  /** Reads anew which ports the owner wants, and applies it while the machine runs. */
  refreshPorts(vmHash: string, signal: AbortSignal): Promise<void>;
  /** Builds all rules anew; resolves to the hashes of the machines that have their networks then. */
  recreate(signal: AbortSignal): Promise<readonly string[]>;
}

/**
 * Lets programs answer: `/vm/…`, and requests to other host names, where a program is chosen by the name. Called before
 * any route is added.
 */
export type FunctionRoutes = (app: FastifyInstance) => void | Promise<void>;
