import type { GpuDevice, VmRecord } from "../model/vm.ts";
import type { SeenVm } from "../state/view.ts";
import { timeText, timeTextOrNull } from "./time-text.ts";

/** A machine as clients read it. Source: aleph-rs `crates/aleph-sdk/src/scheduler.rs`, network-dashboard `src/api/types.ts`. */
export interface VmView {
  readonly vm_hash: string;
  readonly vm_type: string;
  readonly owner: string | null;
  readonly sender: string | null;
  readonly status: string;
  readonly scheduling_status: string;
  readonly allocated_node: string | null;
  readonly allocated_at: string | null;
  readonly observed_nodes: readonly string[];
  readonly last_observed_at: string | null;
  readonly migration_target: string | null;
  readonly migration_started_at: string | null;
  readonly requirements_vcpus: number | null;
  readonly requirements_memory_mb: number | null;
  readonly requirements_disk_mb: number | null;
  readonly requires_confidential: boolean;
  readonly gpu_requirements: readonly GpuView[];
  readonly cpu_architecture: string | null;
  readonly cpu_vendor: string | null;
  readonly cpu_features: readonly string[];
  readonly payment_type: string | null;
  readonly payment_status: string | null;
  readonly updated_at: string;
  readonly name: string | null;
  readonly created_at: string;
  readonly reason: { readonly code: string; readonly text: string; readonly since: string } | null;
  readonly ipv6: string | null;
  readonly host_ipv4: string | null;
  readonly mapped_ports: NonNullable<VmRecord["lastAddresses"]>["mappedPorts"];
}

export interface GpuView {
  readonly vendor: string;
  readonly model: string;
  readonly device_name: string;
  readonly device_class: string;
  readonly device_id: string;
}

/** Last change of what clients see of a machine. */
export const changedAtMs = ({ vm, lastObservedAtMs }: SeenVm): number =>
  Math.max(vm.updatedAtMs, lastObservedAtMs ?? 0);

export function vmView(seen: SeenVm): VmView {
  const { vm, status, observedNodes, lastObservedAtMs } = seen;
  const { facts, migration } = vm;
  return {
    vm_hash: facts.vmHash,
    vm_type: facts.kind,
    owner: facts.owner,
    sender: facts.sender,
    status,
    scheduling_status: vm.intent,
    allocated_node: vm.allocatedNode,
    allocated_at: timeTextOrNull(vm.allocatedAtMs),
    observed_nodes: observedNodes,
    last_observed_at: timeTextOrNull(lastObservedAtMs),
    migration_target: migration?.targetNode ?? null,
    migration_started_at: timeTextOrNull(migration?.startedAtMs ?? null),
    requirements_vcpus: facts.vcpus,
    requirements_memory_mb: facts.memoryMib,
    requirements_disk_mb: facts.diskMib,
    requires_confidential: facts.confidential !== null,
    gpu_requirements: facts.gpus.map(gpuView),
    cpu_architecture: facts.cpu.architecture,
    cpu_vendor: facts.cpu.vendor,
    cpu_features: facts.cpu.features,
    payment_type: facts.payment.type,
    payment_status: vm.paymentStatus,
    updated_at: timeText(changedAtMs(seen)),
    name: facts.name,
    created_at: timeText(facts.createdAtMs),
    reason: vm.reason === null ? null : { ...vm.reason, since: timeText(vm.reasonSinceMs ?? vm.updatedAtMs) },
    ipv6: vm.lastAddresses?.ipv6 ?? null,
    host_ipv4: vm.lastAddresses?.hostIpv4 ?? null,
    mapped_ports: vm.lastAddresses?.mappedPorts ?? {},
  };
}

export const gpuView = ({ vendor, model, deviceName, deviceClass, deviceId }: GpuDevice): GpuView => ({
  vendor,
  model,
  device_name: deviceName,
  device_class: deviceClass,
  device_id: deviceId,
});
