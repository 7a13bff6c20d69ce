import { createFigures } from "@twentysix/platform/metrics";
import { Gauge, type Registry } from "prom-client";
import type { HypervisorCapabilities } from "../hypervisor/hypervisor.ts";
import type { CacheUsage } from "../images/cache/file-cache.ts";

export interface MeasuredHost {
  /** Of this program. */
  readonly version: string;
  readonly capabilities: () => Pick<HypervisorCapabilities, "accelerator">;
  readonly isHelperConnected: () => boolean;
  readonly templates: () => { readonly count: number; readonly bytes: number };
  readonly cache: () => CacheUsage;
}

/** What machines run on, and what lies ready for them. */
export function addHostMetrics(registry: Registry, host: MeasuredHost): void {
  const { gauge, counter } = createFigures(registry);
  new Gauge({
    name: "twentysix_compute_node_info",
    help: "The version of the node, and whether machines run on the processor (kvm) or are emulated (tcg)",
    labelNames: ["version", "accelerator"],
    registers: [registry],
    collect() {
      // It is found once there are images to try the host with.
      this.reset();
      this.set({ version: host.version, accelerator: host.capabilities().accelerator }, 1);
    },
  });
  gauge("twentysix_helper_connected", "Whether the host helper can be spoken to (1)", () =>
    host.isHelperConnected() ? 1 : 0,
  );
  gauge(
    "twentysix_templates",
    "Saved machines that functions are resumed from",
    () => host.templates().count,
  );
  gauge("twentysix_templates_bytes", "What they take of the disk", () => host.templates().bytes);
  gauge("twentysix_file_cache_files", "Downloaded files that are kept", () => host.cache().files);
  gauge(
    "twentysix_file_cache_used_bytes",
    "Bytes of these files, and of those on their way",
    () => host.cache().usedBytes,
  );
  gauge("twentysix_file_cache_quota_bytes", "What they may be (--vm-cache)", () => host.cache().quotaBytes);
  counter(
    "twentysix_file_cache_hits_total",
    "Files that were needed and were there",
    () => host.cache().hits,
  );
  counter(
    "twentysix_file_cache_misses_total",
    "Files that were needed and had to be fetched, or waited for",
    () => host.cache().misses,
  );
}
