import { cpus, totalmem } from "node:os";
import { measureDisk } from "../executions/admission/disk-use.ts";
import { assertRequirements, type NodeFacts } from "../executions/admission/requirements.ts";
import { createExecutions, type RunningExecutions } from "../executions/create-executions.ts";
import type { ExecutionStore } from "../executions/execution-store.ts";
import type { Fences } from "../executions/fences.ts";
import type { ContactProof } from "../executions/leases.ts";
import type { ProgramRunner } from "../functions/program/program-runner.ts";
import type { InstanceRunner } from "../instances/instance-runner.ts";
import { resolveFiles } from "../messages/amends.ts";
import type { ComputeNodeOptions } from "./compute-node-options.ts";
import type { HostParts } from "./open-services.ts";

export interface ExecutionParts extends HostParts {
  readonly store: ExecutionStore;
  readonly contact: ContactProof;
  readonly fences: Fences;
  readonly programs: ProgramRunner;
  readonly instances: InstanceRunner;
  readonly node: () => NodeFacts;
}

const MIB = 1_048_576;

/** The machines of this node, over its host and its database. */
export function openExecutions(options: ComputeNodeOptions, parts: ExecutionParts): RunningExecutions {
  const { settings, clock, timers } = options;
  const { store, contact, fences, programs, instances, hypervisor, folders, ports, coreNodes, node } = parts;
  const { starts, lease, retention } = settings;
  const slowness = (): number => hypervisor.capabilities().slowness;
  return createExecutions({
    store,
    contact,
    fences,
    hypervisor,
    runners: { program: programs, instance: instances },
    resolveFiles: (content, signal) => resolveFiles(content, coreNodes, signal),
    assertRequirements: (content) => assertRequirements(content, node()),
    networkOf: (vmHash) => instances.network(vmHash) ?? programs.network(vmHash),
    portsOf: (vmHash) => ports.of(vmHash),
    admission: {
      host: { cpus: cpus().length, memoryMib: Math.floor(totalmem() / MIB) },
      settings: settings.capacity,
      measureDisk: () => measureDisk(folders.vms),
    },
    onStartFailed: (code) => parts.metrics.starts.failed(code),
    clock,
    timers,
    log: options.log.child({ part: "executions" }),
    settings: {
      limits: {
        prepareTimeoutMs: starts.prepareTimeoutMs,
        // Known once there are images to try the host with.
        get startTimeoutMs() {
          return starts.startTimeoutMs * slowness();
        },
        // Guests are given their time by their runners; this bounds what goes wrong beside that.
        get stopTimeoutMs() {
          return starts.stopTimeoutMs * slowness();
        },
        eraseTimeoutMs: starts.eraseTimeoutMs,
      },
      maxParallelStarts: starts.maxParallel,
      contactMaxAgeMs: lease.contactMaxAgeMs,
      leaseMs: lease.leaseMs,
      leaseRenewalPeriodMs: lease.renewalPeriodMs,
      takenOverAfterMs: lease.takenOverAfterMs,
      recordRetentionMs: retention.recordMs,
      stoppedRetentionMs: retention.stoppedMs,
      idleProgramRetentionMs: retention.idleProgramMs,
    },
  });
}
