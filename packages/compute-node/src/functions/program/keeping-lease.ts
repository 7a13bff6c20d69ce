import type { Logger, Timers } from "@twentysix/platform";
import type { RunningVm } from "../../hypervisor/hypervisor.ts";

export interface LeaseKeeping {
  readonly hasContact: () => boolean;
  readonly settings: { readonly leaseMs: number | null };
  readonly timers: Pick<Timers, "every">;
  readonly log: Logger;
}

/**
 * Renews the lease of a machine while something is done that takes longer than it lasts: its boot. Once it serves, the
 * executions renew it.
 */
export async function keepingLease<Result>(
  vm: RunningVm,
  { hasContact, settings, timers, log }: LeaseKeeping,
  work: () => Promise<Result>,
): Promise<Result> {
  const { leaseMs } = settings;
  if (leaseMs === null) return await work();
  const ended = new AbortController();
  const renewing = timers.every(
    leaseMs / 4,
    async (signal) => {
      if (hasContact()) await vm.renewLease(signal);
    },
    {
      signal: ended.signal,
      onError: (error) =>
        log.debug("the lease of a machine that starts was not renewed", { vmHash: vm.vmHash, error }),
    },
  );
  try {
    return await work();
  } finally {
    ended.abort();
    await renewing;
  }
}
