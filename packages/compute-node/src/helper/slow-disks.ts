import type { QmpClient } from "../hypervisor/qmp/qmp-client.ts";
import type { VmSpec } from "../hypervisor/vm-spec.ts";

const GROUP = "disks";
const UNLIMITED = { bps_rd: 0, bps_wr: 0, iops: 0, iops_rd: 0, iops_wr: 0 };

/**
 * Bounds the disks of a machine that continues from a template, all together: its command line is that of the template,
 * which is for machines of any limit. Call it before the guest goes on. One that was booted has its limit from there.
 */
export async function slowResumedDisks(
  qmp: Pick<QmpClient, "execute">,
  { snapshot, limits, drives }: Pick<VmSpec, "snapshot" | "limits" | "drives">,
  signal: AbortSignal,
): Promise<void> {
  const { diskBytesPerSecond: bps } = limits;
  if (snapshot?.kind !== "resume" || bps === null) return;
  for (const index of drives.keys()) {
    const limit = { id: `disk${index}`, bps, ...UNLIMITED, group: GROUP };
    await qmp.execute("block_set_io_throttle", limit, signal);
  }
}
