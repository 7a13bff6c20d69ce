import type { VmSpec } from "../hypervisor/vm-spec.ts";

export const CPU_PERIOD_MICROS = 100_000;
/** Of a processor, for what QEMU does beside its guest: disks, network, its monitor. */
const QEMU_CPU_SHARE = 0.5;
const MIB = 1_048_576;

/** What a machine may take of this host, whichever version of groups says it. */
export function machineLimits({ memoryMib, vcpus, limits }: VmSpec) {
  return {
    memoryBytes: (memoryMib + limits.overheadMib) * MIB,
    processes: limits.maxProcesses,
    cpuQuotaMicros: Math.round((vcpus + QEMU_CPU_SHARE) * CPU_PERIOD_MICROS),
    vcpus,
    diskBytesPerSecond: limits.diskBytesPerSecond,
  };
}
