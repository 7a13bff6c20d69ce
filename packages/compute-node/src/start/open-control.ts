import type { Registry } from "prom-client";
import { publicUrlOf, REFERENCE_VERSION } from "../compute-settings.ts";
import { OwnerAuth } from "../control/auth/owner-auth.ts";
import { SchedulerAuth } from "../control/auth/scheduler-auth.ts";
import { type ControlApi, createControlApi } from "../control/control-api.ts";
import type { ControlServices, FunctionRoutes, NetworkControl } from "../control/control-services.ts";
import type { HostReport } from "../control/host-report.ts";
import type { InstanceServices } from "../control/instance-services.ts";
import type { VmLogs } from "../control/logs/vm-logs.ts";
import type { NodeHealth } from "../control/node-health.ts";
import { AllocationPlans } from "../control/plans/allocation-plans.ts";
import type { NodeFacts } from "../executions/admission/requirements.ts";
import type { RunningExecutions } from "../executions/create-executions.ts";
import type { HypervisorCapabilities } from "../hypervisor/hypervisor.ts";
import type { HostImageState } from "../images/host-image-keeper.ts";
import type { CoreNodes } from "../messages/core-nodes.ts";
import type { SharedSettings } from "../messages/shared-settings.ts";
import { PaymentGate } from "../payments/payment-gate.ts";
import { NO_STREAMS } from "../payments/streams.ts";
import type { ComputeNodeOptions } from "./compute-node-options.ts";

export interface ControlParts {
  readonly executions: RunningExecutions;
  readonly coreNodes: CoreNodes;
  readonly shared: SharedSettings;
  readonly instances: InstanceServices;
  readonly logs: VmLogs;
  readonly host: HostReport;
  readonly node: () => NodeFacts;
  readonly capabilities: () => HypervisorCapabilities;
  readonly hostImages: () => HostImageState;
  readonly domainPorts: ControlServices["domainPorts"];
  readonly networks: NetworkControl;
  readonly functions: FunctionRoutes;
  readonly loginToken: string;
  readonly linkSecret: Buffer;
  readonly registry: Registry;
  readonly health: () => NodeHealth;
  readonly signal: AbortSignal;
}

/** The HTTP API over the parts of the node. */
export function openControl(options: ComputeNodeOptions, parts: ControlParts): Promise<ControlApi> {
  const { settings, crypto, clock, timers, random, version } = options;
  const log = options.log.child({ part: "control" });
  const { executions, coreNodes, shared, signal } = parts;
  const { manager, store, admission, contact, fences } = executions;
  const { identity, allocation } = settings;
  const nowMs = (): number => Number(clock.nowMicros() / 1_000n);
  const services: ControlServices = {
    ...parts,
    executions: manager,
    store,
    admission,
    payments: createPaymentGate(options, parts, nowMs),
    plans: new AllocationPlans({
      ...{ executions: manager, store, fences, coreNodes, settings: allocation, nowMs, log, signal },
    }),
    ownerAuth: new OwnerAuth({ domainName: identity.domainName, crypto, clock, log }),
    schedulerAuth: new SchedulerAuth({
      signers: (asked) => allocationSigners(options, shared, asked),
      tokenHash: allocation.tokenHash,
      maxAgeSeconds: allocation.maxAgeSeconds,
      crypto,
      clock,
      onContact: () => contact.note("scheduler"),
    }),
    settings,
    version: REFERENCE_VERSION,
    ownVersion: version,
    apiServer: coreNodes.connections[0]?.apiUrl ?? "",
    availableChains: Object.fromEntries((options.streams ?? NO_STREAMS).chains.map((chain) => [chain, {}])),
    crypto,
    clock,
    timers,
    random,
    log,
  };
  return createControlApi(services);
}

/** The operator's choice, else the network's, else what this program was started with. */
async function allocationSigners(
  { settings: { allocation } }: ComputeNodeOptions,
  shared: SharedSettings,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (allocation.signers.length > 0) return allocation.signers;
  const published = await shared.allocationSigners(signal);
  return published.length > 0 ? published : allocation.defaultSigners;
}

function createPaymentGate(
  options: ComputeNodeOptions,
  { coreNodes, shared, executions: { manager }, node }: ControlParts,
  nowMs: () => number,
): PaymentGate {
  return new PaymentGate({
    coreNodes,
    streams: options.streams ?? NO_STREAMS,
    community: (signal) => shared.community(signal),
    receiverAddress: receiverOf(options),
    executions: () => manager.list(),
    isAllocatedHere: (vmHash, content) =>
      manager.get(vmHash) !== null ||
      (node().nodeHash !== null && content.requirements?.node?.node_hash === node().nodeHash),
    nowMs,
  });
}

export function receiverOf({ settings: { payment, identity } }: ComputeNodeOptions): string | null {
  return payment.receiverAddress ?? identity.ownerAddress;
}

/** What requirements of machines are held against. */
export function nodeFactsOf(
  { settings: { identity } }: ComputeNodeOptions,
  { cpu }: HostReport,
  { hasSev = false, missing }: HypervisorCapabilities,
  nodeHash: string | null,
  announcedTerms: string | null,
): NodeFacts {
  const { architecture, vendor, features } = cpu;
  return {
    nodeHash,
    ownerAddress: identity.ownerAddress,
    url: publicUrlOf(identity),
    termsAndConditions: identity.termsAndConditions ?? announcedTerms,
    cpu: { architecture, vendor, features },
    teeUnavailableReason: hasSev ? null : (missing.sev ?? "the host was not tried for AMD SEV"),
  };
}
