import { decodeItemHash } from "@twentysix/protocol";
import {
  type AccountFact,
  type BalanceFact,
  type CreditLot,
  compareEntries,
  splitPairKey,
} from "@twentysix/state";
import type { WriterSession } from "../writer-session.ts";

interface AccountRow {
  readonly tokens: string;
  readonly held: string;
  readonly streamed: string;
  readonly credit_rate: string;
  readonly removable: bigint;
  readonly removing: bigint;
  readonly last_us: bigint | null;
  readonly last_hash: Uint8Array | null;
  readonly last_idx: bigint | null;
  readonly credits_in: string;
  readonly credits_out: string;
  readonly next_event_us: bigint | null;
}

/** The account of an address, null while it never had or owed anything. */
export function loadAccount(session: WriterSession, address: string): AccountFact | null {
  const id = session.addresses.find(address);
  if (id === null) return null;
  const row = session.connection.getBig<AccountRow>(
    `SELECT tokens, held, streamed, credit_rate, removable, removing, last_us, last_hash, last_idx, credits_in,
       credits_out, next_event_us FROM accounts WHERE id = ?`,
    id,
  );
  if (row === undefined) return null;
  return {
    tokensAtto: BigInt(row.tokens),
    heldAtto: BigInt(row.held),
    streamedAttoPerSecond: BigInt(row.streamed),
    creditAttoPerSecond: BigInt(row.credit_rate),
    removable: Number(row.removable),
    removing: Number(row.removing),
    lastEntry:
      row.last_us === null || row.last_hash === null || row.last_idx === null
        ? null
        : { timeMicros: row.last_us, hash: decodeItemHash(row.last_hash), index: Number(row.last_idx) },
    creditsIn: BigInt(row.credits_in),
    creditsOut: BigInt(row.credits_out),
    nextEventMicros: row.next_event_us,
  };
}

/** `key` names the address, the chain and the application. */
export function loadBalance(session: WriterSession, key: string): BalanceFact | null {
  const [address = "", chain = "", dapp = ""] = splitPairKey(key);
  const row = session.connection.getBig<{ tokens: string; height: bigint; updated_us: bigint }>(
    "SELECT tokens, height, updated_us FROM balances WHERE address = ? AND chain = ? AND dapp = ?",
    address,
    chain,
    dapp,
  );
  if (row === undefined) return null;
  return { tokensAtto: BigInt(row.tokens), height: row.height, updatedMicros: row.updated_us };
}

/** What is left of the credits of an address, in the order in which it is spent. */
export function loadLots(session: WriterSession, address: string): CreditLot[] {
  const id = session.addresses.find(address);
  if (id === null) return [];
  return session.connection
    .allBig<{
      time_us: bigint;
      hash: Uint8Array;
      idx: bigint;
      remaining: bigint;
      expires_us: bigint | null;
    }>("SELECT time_us, hash, idx, remaining, expires_us FROM credit_lots WHERE account_id = ?", id)
    .map((row) => ({
      timeMicros: row.time_us,
      hash: decodeItemHash(row.hash),
      index: Number(row.idx),
      remaining: row.remaining,
      expirationMicros: row.expires_us,
    }))
    .sort(compareEntries);
}
