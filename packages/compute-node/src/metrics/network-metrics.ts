import { createFigures } from "@twentysix/platform/metrics";
import type { Registry } from "prom-client";
import type { ContactProof } from "../executions/leases.ts";
import type { MessageFeed } from "../messages/message-feed.ts";
import type { PaymentMonitor } from "../payments/payment-monitor.ts";

export interface MeasuredNetwork {
  readonly contact: Pick<ContactProof, "ageMs">;
  readonly feed: Pick<MessageFeed, "figures">;
  readonly payments: Pick<PaymentMonitor, "figures">;
}

const MS_PER_SECOND = 1_000;

/** What this node hears of others: leases, messages, payments. */
export function addNetworkMetrics(registry: Registry, { contact, feed, payments }: MeasuredNetwork): void {
  const { gauge, gauges, counter } = createFigures(registry);
  const secondsOf = (ms: number | null): number | null => (ms === null ? null : ms / MS_PER_SECOND);
  gauges(
    "twentysix_contact_age_seconds",
    "Since the last sign of life, which leases of machines need; absent where there was none since the start",
    "source",
    {
      "core-node": () => secondsOf(contact.ageMs("core-node")),
      scheduler: () => secondsOf(contact.ageMs("scheduler")),
    },
  );
  gauge("twentysix_message_feed_connected", "Whether the messages of a core node are followed (1)", () =>
    feed.figures().isConnected ? 1 : 0,
  );
  gauge(
    "twentysix_message_feed_lag_seconds",
    "How late the last message came here, by the time that its sender gives it; absent before the first",
    () => feed.figures().lagSeconds,
  );
  counter(
    "twentysix_message_feed_messages_total",
    "Messages that were followed",
    () => feed.figures().messages,
  );
  gauges(
    "twentysix_payment_strikes",
    "What has at least one strike against it now: payers who cannot pay for all, messages that are gone",
    "about",
    { payer: () => payments.figures().shortPayers, message: () => payments.figures().goneMessages },
  );
  counter(
    "twentysix_payment_stops_total",
    "Machines that were stopped or erased since they are not paid or not published any more",
    () => payments.figures().stops,
  );
  counter(
    "twentysix_payment_check_failures_total",
    "Checks that could not be made; nothing is stopped for that",
    () => payments.figures().failedChecks,
  );
}
