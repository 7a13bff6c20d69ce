import { createFigures } from "@twentysix/platform/metrics";
import type { Registry } from "prom-client";
import type { Admission } from "../executions/admission/admission.ts";

const MIB = 1_048_576;

/** What machines have been given of this host; of the disk as it was measured last. */
export function addCapacityMetrics(
  registry: Registry,
  admission: Pick<Admission, "limits" | "taken" | "headRoom" | "diskTotalMib">,
): void {
  const { gauge, gauges } = createFigures(registry);
  gauge(
    "twentysix_capacity_vcpus",
    "Virtual processors that machines may have together",
    () => admission.limits.vcpus,
  );
  gauge(
    "twentysix_reserved_vcpus",
    "Virtual processors of machines that run or shall, and of reservations",
    () => admission.taken().vcpus,
  );
  gauges("twentysix_capacity_memory_mib", "Memory that machines may have together", "kind", {
    instance: () => admission.limits.instanceMemoryMib,
    program: () => admission.limits.programMemoryMib,
  });
  gauges(
    "twentysix_reserved_memory_mib",
    "Memory of machines that run or shall, and of reservations",
    "kind",
    {
      instance: () => admission.taken().instanceMemoryMib,
      program: () => admission.taken().programMemoryMib,
    },
  );
  gauge(
    "twentysix_capacity_disk_bytes",
    "Size of the file system that has the disks of machines",
    () => admission.diskTotalMib * MIB,
  );
  gauge(
    "twentysix_reserved_disk_bytes",
    "What machines, stopped ones too, and reservations were promised of it, whether they have filled it or not",
    () => admission.taken().diskMib * MIB,
  );
  gauge(
    "twentysix_available_disk_bytes",
    "What another machine could be promised of it",
    () => admission.headRoom().diskMib * MIB,
  );
}
