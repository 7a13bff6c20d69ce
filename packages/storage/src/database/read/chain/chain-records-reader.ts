import { decodeItemHash, ERROR_TABLE } from "@twentysix/protocol";
import {
  CHAIN_EVENT_STATES,
  CHAIN_PAYLOADS,
  type ChainBlock,
  type ChainEventState,
  type DueChainEvent,
  PACK_STATES,
  type Pack,
  type PackTransaction,
  QUARANTINE_ATTEMPTS,
} from "../../chain-records.ts";
import type { SqlConnection } from "../../sql/connection.ts";

/** A live message that no chain confirms. */
export interface UnconfirmedMessage {
  readonly id: number;
  readonly itemHash: string;
  readonly envelopeText: string;
  readonly receptionMicros: bigint;
}

/** A part of the unconfirmed messages, in the order in which this node met them. */
export interface UnconfirmedStep {
  readonly messages: readonly UnconfirmedMessage[];
  /** Where the next step begins; null when there is none. */
  readonly afterId: number | null;
}

/** A queued copy that the key of its sender has not signed. */
export interface UndecidedCopy {
  readonly candidateId: number;
  readonly envelopeText: string;
}

export interface ChainFigures {
  readonly waiting: number;
  /** Still tried, after many failures. */
  readonly quarantined: number;
  /** Nothing in them could be read. */
  readonly refused: number;
}

/** An event that failed. */
export interface TroubledChainEvent {
  readonly chain: string;
  readonly txHash: string;
  readonly logIndex: number;
  readonly height: number;
  readonly publisher: string;
  readonly state: ChainEventState;
  readonly attempts: number;
  /** null: never again. */
  readonly nextAttemptMicros: bigint | null;
  readonly error: string | null;
}

interface EventRow {
  readonly id: bigint;
  readonly chain: string;
  readonly tx_hash: string;
  readonly log_index: bigint;
  readonly height: bigint;
  readonly time_us: bigint;
  readonly publisher: string;
  readonly kind: bigint;
  readonly payload: string;
  readonly attempts: bigint;
  readonly error: string | null;
}

interface PackRow {
  readonly tx_hash: string;
  readonly chain: string;
  readonly address: string;
  readonly nonce: bigint;
  readonly archive: string;
  readonly transactions: string;
  readonly state: bigint;
  readonly messages: bigint;
  readonly created_us: bigint;
}

/** What the database says of chains; each call is bounded. */
export class ChainRecords {
  readonly #connection: SqlConnection;

  constructor(connection: SqlConnection) {
    this.#connection = connection;
  }

  /** How far a source was read; null: not at all. */
  position(chain: string, source: string): string | null {
    const row = this.#connection.get<{ position: string }>(
      "SELECT position FROM chain_sources WHERE chain = ? AND source = ?",
      chain,
      source,
    );
    return row?.position ?? null;
  }

  /** Remembered blocks, the highest first. */
  blocks(chain: string, limit: number): ChainBlock[] {
    return this.#connection.all<{ height: number; hash: string }>(
      "SELECT height, hash FROM chain_blocks WHERE chain = ? ORDER BY height DESC LIMIT ?",
      chain,
      limit,
    );
  }

  /** Events that are to be tried, the longest due first. */
  due(nowMicros: bigint, limit: number): DueChainEvent[] {
    return this.#connection
      .allBig<EventRow>(
        `SELECT id, chain, tx_hash, log_index, height, time_us, publisher, kind, payload, attempts, error
         FROM chain_events WHERE next_attempt_us <= ? ORDER BY next_attempt_us, time_us, id LIMIT ?`,
        nowMicros,
        limit,
      )
      .map((row) => ({
        id: Number(row.id),
        chain: row.chain,
        txHash: row.tx_hash,
        logIndex: Number(row.log_index),
        height: Number(row.height),
        timeMicros: row.time_us,
        publisher: row.publisher,
        kind: CHAIN_PAYLOADS[Number(row.kind)] ?? "archive",
        payload: row.payload,
        attempts: Number(row.attempts),
        error: row.error,
      }));
  }

  /** Events that failed: the newest of those refused, then those that are tried soonest; `limit` of each. */
  troubled(limit: number): TroubledChainEvent[] {
    return [
      ...this.#troubled("state = 2 ORDER BY id DESC LIMIT ?", limit),
      ...this.#troubled(
        "next_attempt_us IS NOT NULL AND attempts > 0 ORDER BY next_attempt_us LIMIT ?",
        limit,
      ),
    ];
  }

  #troubled(where: string, limit: number): TroubledChainEvent[] {
    return this.#connection
      .allBig<{
        chain: string;
        tx_hash: string;
        log_index: bigint;
        height: bigint;
        publisher: string;
        state: bigint;
        attempts: bigint;
        next_attempt_us: bigint | null;
        error: string | null;
      }>(
        `SELECT chain, tx_hash, log_index, height, publisher, state, attempts, next_attempt_us, error
         FROM chain_events WHERE ${where}`,
        limit,
      )
      .map((row) => ({
        chain: row.chain,
        txHash: row.tx_hash,
        logIndex: Number(row.log_index),
        height: Number(row.height),
        publisher: row.publisher,
        state: CHAIN_EVENT_STATES[Number(row.state)] ?? "waiting",
        attempts: Number(row.attempts),
        nextAttemptMicros: row.next_attempt_us,
        error: row.error,
      }));
  }

  figures(): ChainFigures {
    const count = (where: string): number =>
      this.#connection.get<{ n: number }>(`SELECT count(*) AS n FROM chain_events WHERE ${where}`)?.n ?? 0;
    return {
      waiting: count(`next_attempt_us IS NOT NULL AND attempts < ${QUARANTINE_ATTEMPTS}`),
      quarantined: count(`next_attempt_us IS NOT NULL AND attempts >= ${QUARANTINE_ATTEMPTS}`),
      refused: count("state = 2"),
    };
  }

  /** Packs of a chain whose fate is open, the oldest first. */
  openPacks(chain: string): Pack[] {
    return this.#packs("chain = ? AND state < 2 ORDER BY created_us, nonce LIMIT 64", chain);
  }

  /** The last pack that used a nonce. */
  packOfNonce(chain: string, address: string, nonce: number): Pack | null {
    const where = "chain = ? AND address = ? AND nonce = ? ORDER BY created_us DESC LIMIT 1";
    return this.#packs(where, chain, address, nonce)[0] ?? null;
  }

  /** Whether the event of one of these transactions was read and everything in it taken. */
  isTaken(chain: string, txHashes: readonly string[]): boolean {
    return txHashes.some(
      (txHash) =>
        this.#connection.get(
          "SELECT 1 FROM chain_events WHERE chain = ? AND tx_hash = ? AND state = 1 LIMIT 1",
          chain,
          txHash,
        ) !== undefined,
    );
  }

  /** Events of a chain that were read and not tried yet: what they confirm is not known. */
  hasUntried(chain: string): boolean {
    const found = this.#connection.get(
      "SELECT 1 FROM chain_events WHERE next_attempt_us IS NOT NULL AND chain = ? AND attempts = 0 LIMIT 1",
      chain,
    );
    return found !== undefined;
  }

  /** Live messages without confirmation that are in no open pack, after `afterId`. */
  unconfirmed(afterId: number, limit: number): UnconfirmedStep {
    const rows = this.#connection.allBig<{
      id: bigint;
      hash: Uint8Array;
      envelope: string;
      reception_us: bigint;
      packed: bigint;
    }>(
      `SELECT m.id, i.hash, c.envelope, i.reception_us,
         EXISTS (SELECT 1 FROM packed_items p WHERE p.id = m.id) AS packed
       FROM messages m JOIN items i ON i.id = m.id JOIN copies c ON c.id = m.copy_id
       WHERE m.confirmed_us = 9223372036854775807 AND m.id > ? ORDER BY m.id LIMIT ?`,
      afterId,
      limit,
    );
    const last = rows.at(-1);
    return {
      messages: rows
        .filter(({ packed }) => Number(packed) === 0)
        .map(({ id, hash, envelope, reception_us: receptionMicros }) => ({
          id: Number(id),
          itemHash: decodeItemHash(hash),
          envelopeText: envelope,
          receptionMicros,
        })),
      afterId: last === undefined || rows.length < limit ? null : Number(last.id),
    };
  }

  /** Queued copies whose signatures chains are to be asked about, after `afterId`. */
  undecided(afterId: number, limit: number): UndecidedCopy[] {
    return this.#connection
      .all<{ id: number; envelope: string }>(
        `SELECT id, envelope FROM candidates
         WHERE code = ${ERROR_TABLE.SIGNATURE_UNDECIDED.code} AND id > ? ORDER BY id LIMIT ?`,
        afterId,
        limit,
      )
      .map(({ id, envelope }) => ({ candidateId: id, envelopeText: envelope }));
  }

  #packs(where: string, ...parameters: (string | number)[]): Pack[] {
    return this.#connection
      .allBig<PackRow>(
        `SELECT tx_hash, chain, address, nonce, archive, transactions, state, messages, created_us
         FROM packs WHERE ${where}`,
        ...parameters,
      )
      .map((row) => ({
        txHash: row.tx_hash,
        chain: row.chain,
        address: row.address,
        nonce: Number(row.nonce),
        archive: row.archive,
        transactions: JSON.parse(row.transactions) as PackTransaction[],
        state: PACK_STATES[Number(row.state)] ?? "sent",
        messages: Number(row.messages),
        createdMicros: row.created_us,
      }));
  }
}
