import type { Connection } from "@twentysix/sdk";
import { billedMicros } from "./billed-time.ts";
import type { BillingPeriod } from "./billing-period.ts";
import { type ExpenseEntry, executionEntries, type PaidRun, storageEntry } from "./expense-entries.ts";
import type { ExpenseKind } from "./expense-post.ts";
import { requestedNodes } from "./requested-nodes.ts";
import { resourcesOf, type UsedResource } from "./used-resources.ts";

/** What one owner used, for the periods of both kinds. */
export interface OwnerUsage {
  entriesIn(
    kind: ExpenseKind,
    period: Pick<BillingPeriod, "startMicros" | "endMicros">,
  ): readonly ExpenseEntry[];
}

/** @param startMicros where the earlier of the periods begins. */
export async function usageOf(
  connection: Connection,
  owner: string,
  startMicros: bigint,
  signal: AbortSignal,
): Promise<OwnerUsage> {
  const resources = await resourcesOf(connection, owner, startMicros, signal);
  const nodes = await requestedNodes(connection, executionsAmong(resources), signal);
  return {
    entriesIn(kind, period) {
      const runs = resources
        .filter((resource) => resource.kind === kind)
        .map(
          (resource): PaidRun => ({
            ...resource,
            micros: billedMicros(period, resource),
            nodeId: nodes.get(resource.itemHash) ?? null,
          }),
        );
      return kind === "storage" ? [storageEntry(owner, runs)] : executionEntries(owner, runs);
    },
  };
}

const executionsAmong = (resources: readonly UsedResource[]): string[] => [
  ...new Set(resources.filter(({ kind }) => kind === "execution").map(({ itemHash }) => itemHash)),
];
