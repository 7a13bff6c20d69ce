import { isAbortOf, type Logger, type Timers } from "@twentysix/platform";
import type { MessageFeed } from "../../messages/message-feed.ts";
import type { MessageTriggers } from "./message-triggers.ts";
import type { TriggerStore } from "./trigger-store.ts";

export interface TriggerCensusOptions {
  readonly feed: Pick<MessageFeed, "stored">;
  readonly triggers: Pick<MessageTriggers, "learn">;
  readonly store: Pick<TriggerStore, "vmHashes" | "remove">;
  readonly timers: Pick<Timers, "sleep">;
  readonly log: Logger;
}

const PERIOD_MS = 6 * 3_600_000;
const RETRY_MS = 60_000;

/**
 * Learns which programs wait for messages, also of those that were published before this node followed the network, and
 * forgets those that ended while it did not: every node is asked for its share of all of them. Ends with the signal.
 */
export async function keepCensus(options: TriggerCensusOptions, signal: AbortSignal): Promise<void> {
  const { timers, log } = options;
  while (!signal.aborted) {
    let delayMs = PERIOD_MS;
    try {
      await takeCensus(options, signal);
    } catch (error) {
      if (isAbortOf(signal, error) || signal.aborted) return;
      log.warn("which programs wait for messages could not be asked; it is tried again", { error });
      delayMs = RETRY_MS;
    }
    await timers.sleep(delayMs, signal).catch(() => undefined);
  }
}

export async function takeCensus(
  { feed, triggers, store }: TriggerCensusOptions,
  signal: AbortSignal,
): Promise<void> {
  const gone = new Set(store.vmHashes);
  for await (const fed of feed.stored("PROGRAM", signal)) {
    triggers.learn(fed);
    gone.delete(fed.message.item_hash);
  }
  for (const vmHash of gone) store.remove(vmHash);
}
