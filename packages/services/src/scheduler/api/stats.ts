import { nodeStatusOf } from "../model/node.ts";
import { nodeLoads } from "./node-view.ts";
import type { ApiSources } from "./sources.ts";
import { timeText } from "./time-text.ts";

/** Figures over all rows; the first five are what dashboards read. */
export function statsOf({ view, store, lastPlanAtMs, version }: ApiSources) {
  const vms = view.vms();
  const nodes = view.nodes();
  const healthy = nodes.filter((node) => nodeStatusOf(node) === "Healthy");
  const loads = [...nodeLoads(store.vms.values()).values()];
  const sum = (values: readonly (number | null | undefined)[]): number =>
    values.reduce<number>((total, value) => total + (value ?? 0), 0);
  return {
    total_vms: vms.length,
    total_nodes: nodes.length,
    healthy_nodes: healthy.length,
    total_vcpus_allocated: sum(loads.map(({ vcpus }) => vcpus)),
    total_vcpus_capacity: sum(healthy.map(({ report }) => report?.vcpus)),
    total_memory_mb_allocated: sum(loads.map(({ memoryMib }) => memoryMib)),
    total_memory_mb_capacity: sum(healthy.map(({ report }) => report?.memoryMib)),
    total_disk_mb_allocated: sum(loads.map(({ diskMib }) => diskMib)),
    total_disk_mb_capacity: sum(healthy.map(({ report }) => report?.diskMib)),
    vms_by_status: countsOf(vms.map(({ status }) => status)),
    vms_by_scheduling_status: countsOf(vms.map(({ vm }) => vm.intent)),
    nodes_by_status: countsOf(nodes.map(nodeStatusOf)),
    migrating: vms.filter(({ vm }) => vm.migration !== null).length,
    last_plan_at: timeText(lastPlanAtMs()),
    version,
  };
}

function countsOf(values: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
