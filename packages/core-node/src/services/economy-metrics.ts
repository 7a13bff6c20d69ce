import { Gauge, type Registry } from "prom-client";
import type { EconomyServices } from "../api/economy/economy-services.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { LedgerAudit } from "../pipeline/writer/ledger-auditor.ts";

export interface EconomyMetricsOptions {
  readonly economy: Pick<EconomyServices, "pricesInForce">;
  readonly pipeline: Pick<Pipeline, "statistics">;
}

/** Metrics of the prices in force, and of the audit of the ledger. */
export function addEconomyMetrics(registry: Registry, { economy, pipeline }: EconomyMetricsOptions): void {
  new Gauge({
    name: "twentysix_price_list_info",
    help: "1 for the price list in force, by its name",
    labelNames: ["price_list"],
    registers: [registry],
    async collect() {
      const { hash } = await economy.pricesInForce();
      this.reset();
      this.set({ price_list: hash }, 1);
    },
  });
  const audited = (name: string, help: string, read: (audit: LedgerAudit) => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const { ledgerAudit } = pipeline.statistics();
        this.set(ledgerAudit === null ? 0 : read(ledgerAudit));
      },
    });
  };
  audited(
    "twentysix_ledger_checked_accounts",
    "Accounts computed anew since the start, the same one again in each pass",
    ({ checkedAccounts }) => checkedAccounts,
  );
  audited(
    "twentysix_ledger_large_accounts",
    "Accounts that were too large for it and are left to twentysix verify",
    ({ largeAccounts }) => largeAccounts,
  );
  audited("twentysix_ledger_faults", "What was found wrong by it", ({ faults }) => faults);
  audited(
    "twentysix_ledger_checked_timestamp_seconds",
    "When all accounts had been looked at, the last time; 0: not yet",
    ({ lastPassMicros }) => Number((lastPassMicros ?? 0n) / 1_000_000n),
  );
}
