import { CHAIN_EVENT_STATES, CHAIN_PAYLOADS, type ChainChange } from "../../chain-records.ts";
import type { WriterSession } from "../writer-session.ts";

/** Anybody can write nonsense to a chain for the price of its gas: as much of it is remembered. */
const MAX_REFUSED = 10_000;
/** Of a text that could not be read. */
const MAX_REFUSED_CHARACTERS = 1_000;

/** Queues the events of a read; one that is known stays as it is. */
export function recordEvents(
  { connection }: WriterSession,
  { chain, source, events }: Extract<ChainChange, { kind: "read" }>,
  nowMicros: bigint,
): void {
  for (const event of events) {
    const isRefused = event.kind === null;
    connection.run(
      `INSERT INTO chain_events (chain, source, tx_hash, log_index, height, time_us, publisher, kind, payload, state,
         attempts, next_attempt_us, error)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT (chain, tx_hash, log_index) DO NOTHING`,
      chain,
      source,
      event.txHash,
      event.logIndex,
      event.height,
      event.timeMicros,
      event.publisher,
      event.kind === null ? null : CHAIN_PAYLOADS.indexOf(event.kind),
      isRefused ? event.payload.slice(0, MAX_REFUSED_CHARACTERS) : event.payload,
      CHAIN_EVENT_STATES.indexOf(isRefused ? "refused" : "waiting"),
      isRefused ? null : nowMicros,
      event.error,
    );
  }
  if (!events.some((event) => event.kind === null)) return;
  connection.run(
    `DELETE FROM chain_events WHERE state = 2 AND id <=
       (SELECT id FROM chain_events WHERE state = 2 ORDER BY id DESC LIMIT 1 OFFSET ${MAX_REFUSED})`,
  );
}
