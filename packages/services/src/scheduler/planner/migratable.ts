import type { PlanVm } from "./plan-input.ts";

/** Whether a machine's disk can follow it: running QEMU instances whose memory nobody has to attest. */
export function isMigratable({ facts, isUnmigratable }: PlanVm): boolean {
  return (
    facts.kind === "instance" &&
    facts.hypervisor === "qemu" &&
    facts.confidential === null &&
    facts.gpus.length === 0 &&
    !isUnmigratable
  );
}
