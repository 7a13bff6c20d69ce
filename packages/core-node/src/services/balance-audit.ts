import { isAbortOf, type Logger, type Timers } from "@twentysix/platform";
import { type FullPublication, type ListReads, type PointReads, ReadError } from "@twentysix/storage";
import { Gauge, type Registry } from "prom-client";

export interface BalanceAuditParts {
  readonly onCommit: (listener: () => void) => () => void;
  readonly reads: Pick<PointReads, "fullPublications">;
  readonly lists: Pick<ListReads, "omittedHolders">;
  readonly registry: Registry;
  readonly timers: Timers;
  readonly log: Logger;
}

/** Commits that follow each other faster are looked at together. */
const PAUSE_MS = 2_000;

/**
 * Looks at publications of balances that say that they list every holder: an address that such a one leaves out keeps
 * what it had, which its publisher can hardly mean. Told in the log and as a figure; balances stay as they are.
 */
export function startBalanceAudit(parts: BalanceAuditParts): { close(): Promise<void> } {
  const { onCommit, registry, timers, log } = parts;
  const closing = new AbortController();
  const { signal } = closing;
  const omitted = new Gauge({
    name: "twentysix_balances_omitted_addresses",
    help: "Addresses with tokens that the newest full publication of balances leaves out",
    labelNames: ["chain"],
    registers: [registry],
  });
  const seen = new Map<string, bigint>();
  const look = async (): Promise<void> => {
    for (const publication of await parts.reads.fullPublications()) {
      const { chain, height } = publication;
      if ((seen.get(chain) ?? -1n) >= height) continue;
      const { count, addresses } = await parts.lists.omittedHolders(publication, { signal });
      seen.set(chain, height);
      omitted.set({ chain }, count);
      if (count > 0) log.warn(OMISSION, omissionOf(publication, count, addresses));
    }
  };
  let isWanted = false;
  let running: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    try {
      while (isWanted && !signal.aborted) {
        await timers.sleep(PAUSE_MS, signal);
        isWanted = false;
        await look();
      }
    } catch (error) {
      if (isAbortOf(signal, error)) return;
      if (!(error instanceof ReadError)) throw error;
      log.warn("Publications of balances could not be looked at; the next commit is another occasion", {
        error,
      });
    } finally {
      running = null;
    }
  };
  const wake = (): void => {
    isWanted = true;
    running ??= run();
  };
  const stop = onCommit(wake);
  wake();
  return {
    async close() {
      stop();
      closing.abort();
      await running;
    },
  };
}

const OMISSION =
  "A full publication of balances leaves out addresses that have some; they keep what they had";

const omissionOf = (
  { chain, height }: FullPublication,
  count: number,
  addresses: readonly string[],
): Readonly<Record<string, unknown>> => ({
  chain,
  height: String(height),
  addresses: count,
  first: addresses,
  remedy: "its publisher should list them with 0",
});
