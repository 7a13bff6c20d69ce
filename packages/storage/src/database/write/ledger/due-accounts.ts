import type { WriterSession } from "../writer-session.ts";

/** Accounts whose messages have to be looked at, the longest due first. */
export function dueAccounts({ connection }: WriterSession, nowMicros: bigint, limit: number): string[] {
  return connection
    .all<{ address: string }>(
      "SELECT address FROM accounts WHERE next_event_us <= ? ORDER BY next_event_us LIMIT ?",
      nowMicros,
      limit,
    )
    .map(({ address }) => address);
}

/** When the next account has to be looked at; null: when something happens. */
export function nextAccountEventMicros({ connection }: WriterSession): bigint | null {
  const row = connection.getBig<{ at: bigint | null }>(
    "SELECT min(next_event_us) AS at FROM accounts WHERE next_event_us IS NOT NULL",
  );
  return row?.at ?? null;
}
