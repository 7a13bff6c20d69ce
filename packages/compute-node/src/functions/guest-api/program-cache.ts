import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "@twentysix/platform";
import { GuestApiError } from "./errors.ts";

/** What one program may keep. */
export interface CacheQuota {
  readonly maxKeys: number;
  readonly maxBytes: number;
  readonly maxValueBytes: number;
  /** After its last writing. */
  readonly keepMs: number;
}

export const DEFAULT_CACHE_QUOTA: CacheQuota = {
  maxKeys: 10_000,
  maxBytes: 64 * 1024 ** 2,
  maxValueBytes: 8 * 1024 ** 2,
  keepMs: 7 * 86_400_000,
};

interface Totals {
  readonly keys: number;
  readonly bytes: number;
}

/** Small values of programs by their names, each program for itself. Source: aleph-vm `guest_api/__main__.py`. */
export class ProgramCache {
  readonly #database: DatabaseSync;
  readonly #clock: Pick<Clock, "nowMicros">;
  readonly #quota: CacheQuota;

  constructor(
    database: DatabaseSync,
    clock: Pick<Clock, "nowMicros">,
    quota: CacheQuota = DEFAULT_CACHE_QUOTA,
  ) {
    this.#database = database;
    this.#clock = clock;
    this.#quota = quota;
    database.exec(`CREATE TABLE IF NOT EXISTS program_cache (
      vm_hash TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, expires_at_ms INTEGER NOT NULL,
      PRIMARY KEY (vm_hash, key)) WITHOUT ROWID`);
  }

  /** null: there is no such key, or its time is over. */
  get(vmHash: string, key: string): Uint8Array | null {
    const row = this.#database
      .prepare("SELECT value FROM program_cache WHERE vm_hash = ? AND key = ? AND expires_at_ms > ?")
      .get(vmHash, key, this.#nowMs());
    return row?.value instanceof Uint8Array ? row.value : null;
  }

  /** @throws GuestApiError 413, 507 */
  put(vmHash: string, key: string, value: Uint8Array): void {
    const { maxKeys, maxBytes, maxValueBytes, keepMs } = this.#quota;
    if (value.length > maxValueBytes) {
      throw new GuestApiError(413, `A value has at most ${maxValueBytes} bytes, not ${value.length}`);
    }
    this.#expire(vmHash);
    const { keys, bytes } = this.#totalsWithout(vmHash, key);
    if (keys + 1 > maxKeys || bytes + value.length > maxBytes) {
      const text = `A program keeps at most ${maxKeys} values of ${maxBytes} bytes together: delete some`;
      throw new GuestApiError(507, text);
    }
    this.#database
      .prepare(
        "INSERT OR REPLACE INTO program_cache (vm_hash, key, value, expires_at_ms) VALUES (?, ?, ?, ?)",
      )
      .run(vmHash, key, value, this.#nowMs() + keepMs);
  }

  /** How many there were: 0 or 1. */
  delete(vmHash: string, key: string): number {
    const { changes } = this.#database
      .prepare("DELETE FROM program_cache WHERE vm_hash = ? AND key = ?")
      .run(vmHash, key);
    return Number(changes);
  }

  keys(vmHash: string): readonly string[] {
    return this.#database
      .prepare("SELECT key FROM program_cache WHERE vm_hash = ? AND expires_at_ms > ? ORDER BY key")
      .all(vmHash, this.#nowMs())
      .map(({ key }) => String(key));
  }

  /** All that a program has kept. */
  clear(vmHash: string): void {
    this.#database.prepare("DELETE FROM program_cache WHERE vm_hash = ?").run(vmHash);
  }

  /** What nobody can read any more, of all programs. */
  expireAll(): void {
    this.#database.prepare("DELETE FROM program_cache WHERE expires_at_ms <= ?").run(this.#nowMs());
  }

  #expire(vmHash: string): void {
    this.#database
      .prepare("DELETE FROM program_cache WHERE vm_hash = ? AND expires_at_ms <= ?")
      .run(vmHash, this.#nowMs());
  }

  #totalsWithout(vmHash: string, key: string): Totals {
    const row = this.#database
      .prepare(
        "SELECT count(*) AS keys, ifnull(sum(length(value)), 0) AS bytes FROM program_cache WHERE vm_hash = ? AND key <> ?",
      )
      .get(vmHash, key);
    return { keys: Number(row?.keys ?? 0), bytes: Number(row?.bytes ?? 0) };
  }

  #nowMs(): number {
    return Number(this.#clock.nowMicros() / 1_000n);
  }
}
