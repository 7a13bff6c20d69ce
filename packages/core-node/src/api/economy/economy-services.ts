import type { ContentSwitches } from "@twentysix/protocol";
import type { LedgerRules, PriceLists } from "@twentysix/state";
import type { RecalculationReport } from "../../pipeline/recalculation-report.ts";

/** What the API needs to tell prices and to have costs computed anew. */
export interface EconomyServices {
  readonly rules: LedgerRules;
  readonly switches: ContentSwitches;
  /** The prices that the aggregates of the authority put into force, as they stand after the last commit. */
  pricesInForce(): Promise<PriceLists>;
  /** Compressed secp256k1 key, in hexadecimal, of whoever may have costs computed anew; null: nobody. */
  readonly administrationKey: string | null;
  readonly recalculation: Recalculation;
}

export interface Recalculation {
  /** The last job over all messages; null while there was none. */
  readonly job: RecalculationJob | null;
  /** Starts a job over all messages. null: one is running. */
  start(options: { readonly dryRun: boolean }): RecalculationJob | null;
  /** Resolves when no job runs any more, or when the signal aborts. */
  settled(signal: AbortSignal): Promise<void>;
  /** Computes the cost of one message anew. */
  one(itemHash: string, options: { readonly dryRun: boolean }): Promise<RecalculationReport>;
}

export interface RecalculationJob {
  readonly id: number;
  readonly state: "running" | "done" | "failed";
  readonly dryRun: boolean;
  readonly startedMicros: bigint;
  readonly endedMicros: bigint | null;
  readonly report: RecalculationReport;
}
