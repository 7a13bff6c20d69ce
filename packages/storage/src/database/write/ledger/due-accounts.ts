import type { WriterSession } from "../writer-session.ts";

/** Accounts whose messages have to be looked at, the longest due first. */
export function dueAccounts(session: WriterSession, nowMicros: bigint, limit: number): string[] {
  // Mostly none has, and a look at the first row alone costs a fifth.
  const next = nextAccountEventMicros(session);
  if (next === null || next > nowMicros) return [];
  return session.connection
    .all<{ address: string }>(
      "SELECT address FROM accounts WHERE next_event_us <= ? ORDER BY next_event_us LIMIT ?",
      nowMicros,
      limit,
    )
    .map(({ address }) => address);
}

/** When the next account has to be looked at; null: when something happens. */
export function nextAccountEventMicros({ standing }: WriterSession): bigint | null {
  const row = standing.getBig<{ at: bigint | null }>(
    "SELECT min(next_event_us) AS at FROM accounts WHERE next_event_us IS NOT NULL",
  );
  return row?.at ?? null;
}
