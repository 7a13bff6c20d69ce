import { type NodeRecord, nodeStatusOf } from "../model/node.ts";
import type { GpuDevice, VmRecord } from "../model/vm.ts";
import { timeText } from "./time-text.ts";
import { type GpuView, gpuView } from "./vm-view.ts";

/** A node as clients read it. Source: aleph-rs `crates/aleph-sdk/src/scheduler.rs`, network-dashboard `src/api/types.ts`. */
export interface NodeView {
  readonly node_hash: string;
  readonly name: string | null;
  readonly owner: string | null;
  readonly address: string | null;
  readonly status: string;
  readonly staked: boolean;
  readonly vcpus_total: number | null;
  readonly memory_total_mb: number | null;
  readonly disk_total_mb: number | null;
  readonly vcpus_available: number | null;
  readonly memory_available_mb: number | null;
  readonly disk_available_mb: number | null;
  readonly supports_ipv6: boolean | null;
  readonly confidential_computing_enabled: boolean;
  readonly cpu_architecture: string | null;
  readonly cpu_vendor: string | null;
  readonly cpu_features: readonly string[];
  readonly gpus: { readonly used: readonly GpuView[]; readonly available: readonly GpuView[] };
  readonly payment_receiver: string | null;
  readonly vm_count: number;
  readonly discovered_at: string | null;
  readonly updated_at: string;
}

/** What the machines of a node ask for together. */
export interface NodeLoad {
  readonly vms: number;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskMib: number;
}

const NO_LOAD: NodeLoad = { vms: 0, vcpus: 0, memoryMib: 0, diskMib: 0 };

/** Loads of all nodes that have a machine. */
export function nodeLoads(vms: Iterable<VmRecord>): ReadonlyMap<string, NodeLoad> {
  const loads = new Map<string, NodeLoad>();
  for (const { allocatedNode, facts } of vms) {
    if (allocatedNode === null) continue;
    const load = loads.get(allocatedNode) ?? NO_LOAD;
    loads.set(allocatedNode, {
      vms: load.vms + 1,
      vcpus: load.vcpus + facts.vcpus,
      memoryMib: load.memoryMib + facts.memoryMib,
      diskMib: load.diskMib + facts.diskMib,
    });
  }
  return loads;
}

export function nodeView(node: NodeRecord, load: NodeLoad = NO_LOAD): NodeView {
  const { registration, report, capabilities } = node;
  const freeDiskMib = left(report?.diskMib ?? null, load.diskMib);
  return {
    node_hash: registration.nodeHash,
    name: registration.name,
    owner: registration.owner,
    address: registration.address,
    status: nodeStatusOf(node),
    staked: registration.isLinked,
    vcpus_total: report?.vcpus ?? null,
    memory_total_mb: report?.memoryMib ?? null,
    disk_total_mb: report?.diskMib ?? null,
    vcpus_available: left(report?.vcpus ?? null, load.vcpus),
    memory_available_mb: left(report?.memoryMib ?? null, load.memoryMib),
    disk_available_mb:
      freeDiskMib === null ? null : Math.min(freeDiskMib, report?.freeDiskMib ?? freeDiskMib),
    supports_ipv6: capabilities?.isIpv6Public ?? null,
    confidential_computing_enabled: capabilities?.hasConfidential ?? false,
    cpu_architecture: report?.cpuArchitecture ?? null,
    cpu_vendor: report?.cpuVendor ?? null,
    cpu_features: (report?.cpuFeatures ?? []).filter((feature) => /^sev(?:_es|_snp)?$/.test(feature)),
    gpus: gpusView(report?.gpus ?? [], report?.freeGpus ?? []),
    payment_receiver: capabilities?.paymentReceiver ?? null,
    vm_count: load.vms,
    discovered_at: timeText(node.discoveredAtMs),
    updated_at: timeText(node.updatedAtMs),
  };
}

const left = (total: number | null, used: number): number | null =>
  total === null ? null : Math.max(0, total - used);

/** Devices that are not available are used; several may be of one kind. */
function gpusView(devices: readonly GpuDevice[], free: readonly GpuDevice[]): NodeView["gpus"] {
  const available = [...free];
  const used = devices.filter(({ deviceId }) => {
    const index = available.findIndex((device) => device.deviceId === deviceId);
    if (index >= 0) available.splice(index, 1);
    return index < 0;
  });
  return { used: used.map(gpuView), available: free.map(gpuView) };
}
