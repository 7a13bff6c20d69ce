import { encodeItemHash } from "@twentysix/protocol";
import {
  type AccountFact,
  type BalanceFact,
  type Change,
  type CreditLot,
  type PublicationFact,
  splitPairKey,
} from "@twentysix/state";
import type { WriterSession } from "../writer-session.ts";

const ATTO = 10n ** 18n;

export function saveAccount(session: WriterSession, change: Change<AccountFact>): void {
  const { key: address, after } = change;
  if (after === null) throw new Error(`The account of ${address} cannot cease to exist`);
  const { lastEntry } = after;
  session.connection.run(
    `INSERT INTO accounts (id, address, tokens, held, streamed, credit_rate, removable, removing, last_us, last_hash,
       last_idx, credits_in, credits_out, next_event_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET tokens = excluded.tokens, held = excluded.held, streamed = excluded.streamed,
       credit_rate = excluded.credit_rate, removable = excluded.removable, removing = excluded.removing,
       last_us = excluded.last_us, last_hash = excluded.last_hash, last_idx = excluded.last_idx,
       credits_in = excluded.credits_in, credits_out = excluded.credits_out, next_event_us = excluded.next_event_us`,
    session.addresses.intern(address),
    address,
    after.tokensAtto.toString(),
    after.heldAtto.toString(),
    after.streamedAttoPerSecond.toString(),
    after.creditAttoPerSecond.toString(),
    after.removable,
    after.removing,
    lastEntry?.timeMicros ?? null,
    lastEntry === null ? null : encodeItemHash(lastEntry.hash),
    lastEntry?.index ?? null,
    after.creditsIn.toString(),
    after.creditsOut.toString(),
    after.nextEventMicros,
  );
}

export function saveBalance(session: WriterSession, { key, before, after }: Change<BalanceFact>): void {
  if (after === null) throw new Error(`The balance of ${key} cannot cease to exist`);
  const [address = "", chain = "", dapp = ""] = splitPairKey(key);
  if (before === null) session.counters.add("balanceRows", session.labels.intern(chain), 0, 1);
  session.connection.run(
    `INSERT INTO balances (address, chain, dapp, tokens, whole, height, updated_us) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (address, chain, dapp) DO UPDATE SET tokens = excluded.tokens, whole = excluded.whole,
       height = excluded.height, updated_us = excluded.updated_us`,
    address,
    chain,
    dapp,
    after.tokensAtto.toString(),
    after.tokensAtto / ATTO,
    after.height,
    after.updatedMicros,
  );
}

/** Writes which lots are there and what is left of them. */
export function saveLots(session: WriterSession, change: Change<readonly CreditLot[]>): void {
  const accountId = session.addresses.intern(change.key);
  const nameOf = ({ timeMicros, hash, index }: CreditLot): string => `${timeMicros} ${hash} ${index}`;
  const after = new Map((change.after ?? []).map((lot) => [nameOf(lot), lot]));
  for (const lot of change.before ?? []) {
    const kept = after.get(nameOf(lot));
    if (kept?.remaining === lot.remaining) after.delete(nameOf(lot));
    if (kept !== undefined) continue;
    session.connection.run(
      "DELETE FROM credit_lots WHERE account_id = ? AND time_us = ? AND hash = ? AND idx = ?",
      accountId,
      lot.timeMicros,
      encodeItemHash(lot.hash),
      lot.index,
    );
  }
  for (const lot of after.values()) {
    session.connection.run(
      `INSERT INTO credit_lots (account_id, time_us, hash, idx, remaining, expires_us) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (account_id, time_us, hash, idx) DO UPDATE SET remaining = excluded.remaining`,
      accountId,
      lot.timeMicros,
      encodeItemHash(lot.hash),
      lot.index,
      lot.remaining,
      lot.expirationMicros,
    );
  }
}

export function savePublication(session: WriterSession, { key, after }: Change<PublicationFact>): void {
  if (after === null) throw new Error(`The publication of ${key} cannot cease to exist`);
  session.connection.run(
    `INSERT INTO publications (kind, hash, time_us, processed_us) VALUES (?, ?, ?, ?)
     ON CONFLICT (kind) DO UPDATE SET hash = excluded.hash, time_us = excluded.time_us,
       processed_us = excluded.processed_us`,
    key,
    after.hash,
    after.timeMicros,
    after.processedMicros,
  );
}

export function loadPublication(session: WriterSession, kind: string): PublicationFact | null {
  const row = session.connection.getBig<{ hash: string; time_us: bigint; processed_us: bigint }>(
    "SELECT hash, time_us, processed_us FROM publications WHERE kind = ?",
    kind,
  );
  if (row === undefined) return null;
  return { hash: row.hash, timeMicros: row.time_us, processedMicros: row.processed_us };
}
