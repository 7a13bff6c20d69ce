import type { VmLimits } from "./vm-spec.ts";

/** Tiers are multiples of a processor, so what a machine may do to disks is one too. */
export function diskRate(
  perVcpu: VmLimits["diskBytesPerSecond"],
  { vcpus }: { readonly vcpus: number },
): VmLimits["diskBytesPerSecond"] {
  return perVcpu === null ? null : perVcpu * vcpus;
}
