import type { DatabaseSync } from "node:sqlite";
import type { JsonObject } from "@twentysix/protocol";
import { indexKeyOf, indexKeysOf, matches } from "./subscription.ts";

interface Entry {
  readonly vmHash: string;
  readonly subscription: JsonObject;
}

const MAX_PROGRAMS = 50_000;
/** Of one program. */
const MAX_SUBSCRIPTIONS = 64;
/** After so many runs those that are old are forgotten. */
const CLEANING_PERIOD = 1_000;
/** As long as messages are caught up after an absence. */
const KEEP_RUNS_MS = 2 * 3_600_000;

/** Which programs want which messages, and which have got them: kept over restarts. */
export class TriggerStore {
  readonly #database: DatabaseSync;
  readonly #nowMs: () => number;
  readonly #index = new Map<string, Set<Entry>>();
  readonly #programs = new Map<string, readonly Entry[]>();
  #claims = 0;

  constructor(database: DatabaseSync, nowMs: () => number) {
    this.#database = database;
    this.#nowMs = nowMs;
    database.exec(`CREATE TABLE IF NOT EXISTS program_triggers (
      vm_hash TEXT PRIMARY KEY, subscriptions TEXT NOT NULL) WITHOUT ROWID`);
    database.exec(`CREATE TABLE IF NOT EXISTS trigger_runs (
      vm_hash TEXT NOT NULL, message_hash TEXT NOT NULL, at_ms INTEGER NOT NULL,
      PRIMARY KEY (vm_hash, message_hash)) WITHOUT ROWID`);
    addBegun(database);
    // Claims of a node that died before it gave the message to its program: it is told of it again.
    database.exec("DELETE FROM trigger_runs WHERE begun = 0");
    for (const row of database.prepare("SELECT vm_hash, subscriptions FROM program_triggers").all()) {
      this.#add(String(row.vm_hash), JSON.parse(String(row.subscriptions)) as JsonObject[]);
    }
  }

  /** Programs that wait for messages. */
  get size(): number {
    return this.#programs.size;
  }

  get vmHashes(): readonly string[] {
    return [...this.#programs.keys()];
  }

  register(vmHash: string, subscriptions: readonly JsonObject[]): void {
    const kept = subscriptions.slice(0, MAX_SUBSCRIPTIONS);
    if (kept.length === 0 || this.#programs.has(vmHash) || this.#programs.size >= MAX_PROGRAMS) return;
    this.#database
      .prepare("INSERT OR REPLACE INTO program_triggers (vm_hash, subscriptions) VALUES (?, ?)")
      .run(
        vmHash,
        JSON.stringify(kept, (_key, value) => (typeof value === "bigint" ? Number(value) : value)),
      );
    this.#add(vmHash, kept);
  }

  remove(vmHash: string): void {
    for (const entry of this.#programs.get(vmHash) ?? [])
      this.#index.get(indexKeyOf(entry.subscription))?.delete(entry);
    this.#programs.delete(vmHash);
    this.#database.prepare("DELETE FROM program_triggers WHERE vm_hash = ?").run(vmHash);
  }

  /** Programs that want the message, each once. */
  wanting(message: JsonObject): readonly string[] {
    const found = new Set<string>();
    for (const key of indexKeysOf(message)) {
      for (const { vmHash, subscription } of this.#index.get(key) ?? []) {
        if (!found.has(vmHash) && matches(subscription, message)) found.add(vmHash);
      }
    }
    return [...found];
  }

  /** Notes that a program gets a message. false: it had it before. */
  claimRun(vmHash: string, messageHash: string): boolean {
    this.#claims += 1;
    if (this.#claims % CLEANING_PERIOD === 0) this.forgetOldRuns();
    const { changes } = this.#database
      .prepare("INSERT OR IGNORE INTO trigger_runs (vm_hash, message_hash, at_ms, begun) VALUES (?, ?, ?, 0)")
      .run(vmHash, messageHash, this.#nowMs());
    return Number(changes) === 1;
  }

  /** The program is given the message now: it gets it once, whatever comes of it. */
  beginRun(vmHash: string, messageHash: string): void {
    this.#database
      .prepare("UPDATE trigger_runs SET begun = 1 WHERE vm_hash = ? AND message_hash = ?")
      .run(vmHash, messageHash);
  }

  forgetOldRuns(): void {
    this.#database.prepare("DELETE FROM trigger_runs WHERE at_ms < ?").run(this.#nowMs() - KEEP_RUNS_MS);
  }

  #add(vmHash: string, subscriptions: readonly JsonObject[]): void {
    const entries = subscriptions.map((subscription) => ({ vmHash, subscription }));
    this.#programs.set(vmHash, entries);
    for (const entry of entries) {
      const key = indexKeyOf(entry.subscription);
      const bucket = this.#index.get(key) ?? new Set();
      this.#index.set(key, bucket.add(entry));
    }
  }
}

/** Databases of earlier versions lack it: what is in them was given. */
function addBegun(database: DatabaseSync): void {
  const columns = database.prepare("PRAGMA table_info(trigger_runs)").all();
  if (columns.some(({ name }) => name === "begun")) return;
  database.exec("ALTER TABLE trigger_runs ADD COLUMN begun INTEGER NOT NULL DEFAULT 1");
}
