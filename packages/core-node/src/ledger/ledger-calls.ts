import { hash } from "node:crypto";
import type { Clock } from "@twentysix/platform";
import { FactReader, type SqlConnection } from "@twentysix/storage/reader";
import { createCopyReader } from "../pipeline/copy-reader.ts";
import { aggregateFields } from "../pipeline/prepare-message.ts";
import type { LedgerCall, LedgerSettings } from "../reader/reader-protocol.ts";
import { LedgerInquiry } from "./ledger-inquiry.ts";
import { endedOf, standingOf } from "./ledger-standing.ts";

/** Answers questions about money on a connection of the thread that calls. */
export function createLedgerCalls(
  connection: SqlConnection,
  { rules, definition }: LedgerSettings,
  clock: Pick<Clock, "nowMicros">,
): (call: LedgerCall) => Promise<unknown> {
  const facts = new FactReader(connection, (envelopeText, contentText) =>
    aggregateFields(contentText ?? inlineContent(envelopeText)),
  );
  const { switches, limits } = definition;
  const reader = createCopyReader((bytes) => hash("sha256", bytes, "buffer"), switches, limits);
  const inquiry = new LedgerInquiry({ facts, rules, definition, reader });
  const standing = rules.ledger === null ? null : { facts, rules: rules.ledger, reader };
  return async (call) => {
    switch (call.kind) {
      case "judgePayment":
        return await inquiry.judge(call.message, clock.nowMicros());
      case "standing":
        return standing === null ? null : await standingOf(standing, call.itemHash, clock.nowMicros());
      case "pricesInForce":
        return await inquiry.pricesInForce(clock.nowMicros());
      case "ended":
        return standing === null ? null : await endedOf(standing, call.itemHash);
      case "priceList":
        return facts.priceList(call.hash);
    }
  };
}

function inlineContent(envelopeText: string): string {
  const { item_content: content } = JSON.parse(envelopeText) as { item_content?: string };
  return content ?? "{}";
}
