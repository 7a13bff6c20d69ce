import type { SeenVm } from "../state/view.ts";
import type { Query } from "./query.ts";
import { changedAtMs } from "./vm-view.ts";

const STATUSES = [
  "unknown",
  "scheduled",
  "unschedulable",
  "unscheduled",
  "migrating",
  "dispatched",
  "duplicated",
  "misplaced",
  "missing",
  "orphaned",
  // Clients know it; no machine has it.
  "removed",
] as const;
const INTENTS = ["unknown", "scheduled", "unschedulable", "unscheduled"] as const;
const MAX = Number.MAX_SAFE_INTEGER;

type Test = (seen: SeenVm) => boolean;

/** What the parameters of a list of machines let through. @throws SchedulerError SCHEDULER_BAD_PARAMETER */
export function vmFilter(query: Query): Test {
  const tests: Test[] = [];
  const when = <Value>(value: Value | null, test: (value: Value, seen: SeenVm) => boolean): void => {
    if (value !== null) tests.push((seen) => test(value, seen));
  };
  when(query.texts("owner", "owners"), (owners, { vm }) => hasAddress(owners, vm.facts.owner));
  when(query.texts("sender"), (senders, { vm }) => hasAddress(senders, vm.facts.sender));
  when(query.texts("vm_hash"), (prefixes, { vm }) =>
    prefixes.some((prefix) => vm.facts.vmHash.startsWith(prefix.toLowerCase())),
  );
  when(query.oneOf("status", STATUSES), (statuses, { status }) => statuses.some((one) => one === status));
  when(query.oneOf("scheduling_status", INTENTS), (intents, { vm }) => intents.includes(vm.intent));
  when(query.texts("node"), (nodes, { vm }) => vm.allocatedNode !== null && nodes.includes(vm.allocatedNode));
  when(query.texts("cpu_architecture"), (values, { vm }) => hasText(values, vm.facts.cpu.architecture));
  when(query.texts("cpu_vendor"), (values, { vm }) => hasText(values, vm.facts.cpu.vendor));
  when(query.boolean("has_gpu"), (value, { vm }) => vm.facts.gpus.length > 0 === value);
  when(query.boolean("requires_confidential"), (value, { vm }) => (vm.facts.confidential !== null) === value);
  const range = { min: 0, max: MAX };
  when(query.integer("min_vcpus", range), (value, { vm }) => vm.facts.vcpus >= value);
  when(query.integer("max_vcpus", range), (value, { vm }) => vm.facts.vcpus <= value);
  when(query.integer("min_memory_mb", range), (value, { vm }) => vm.facts.memoryMib >= value);
  when(query.integer("max_memory_mb", range), (value, { vm }) => vm.facts.memoryMib <= value);
  when(query.integer("active_since", range), (value, seen) => changedAtMs(seen) >= value * 1_000);
  return (seen) => tests.every((test) => test(seen));
}

/** Ethereum addresses in any case of their letters, others exactly. */
export function hasAddress(wanted: readonly string[], actual: string | null): boolean {
  if (actual === null) return false;
  return wanted.some((one) =>
    one.toLowerCase().startsWith("0x") ? one.toLowerCase() === actual.toLowerCase() : one === actual,
  );
}

export const hasText = (wanted: readonly string[], actual: string | null): boolean =>
  actual !== null && wanted.includes(actual);
