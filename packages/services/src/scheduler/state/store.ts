import { SchedulerError } from "../errors.ts";
import type { NodeRecord } from "../model/node.ts";
import type { Reason } from "../model/reason.ts";
import type { VmRecord } from "../model/vm.ts";
import { Changes } from "./changes.ts";
import type { SchedulerDatabase, SqlRow } from "./database.ts";
import type { HistoryAction, HistoryRow, SchedulerEvent, SchedulerEventBody } from "./events.ts";
import type { MigrationJob } from "./migration-job.ts";
import { firstPushRecord, type PushRecord } from "./push-record.ts";

const MAX_EVENTS = 100_000;
const TOLD_AT_ONCE = 1_000;
/** Longer than any window in which they are counted. */
const KEPT_FAILOVERS_MS = 86_400_000;

/**
 * What the scheduler knows: in memory for readers, written through to the database. All changes of one moment are one
 * transaction; who reads sees them once they are durable.
 */
export class SchedulerStore {
  readonly #database: SchedulerDatabase;
  readonly #nowMs: () => number;
  readonly #mayWrite: () => boolean;
  readonly #listeners = new Set<(event: SchedulerEvent) => void>();
  #vms = new Map<string, VmRecord>();
  /** Hashes of machines by the node that they have. */
  readonly #ofNode = new Map<string, Set<string>>();
  #nodes = new Map<string, NodeRecord>();
  #jobs = new Map<string, MigrationJob>();
  #pushes = new Map<string, PushRecord>();
  #version = -1;
  /** The last event that listeners were told of. */
  #toldSeq: number;
  #revision = 0;

  /** @param mayWrite asked within each transaction: what is in memory may be older than what another one wrote */
  constructor(database: SchedulerDatabase, nowMs: () => number, mayWrite: () => boolean = () => true) {
    this.#database = database;
    this.#nowMs = nowMs;
    this.#mayWrite = mayWrite;
    const [last] = database.all("SELECT max(seq) AS seq FROM events");
    this.#toldSeq = Number(last?.seq ?? 0);
    this.reload();
  }

  get vms(): ReadonlyMap<string, VmRecord> {
    return this.#vms;
  }

  get nodes(): ReadonlyMap<string, NodeRecord> {
    return this.#nodes;
  }

  /** The machines that have a node. */
  vmsOf(nodeHash: string): readonly VmRecord[] {
    return [...(this.#ofNode.get(nodeHash) ?? [])].flatMap((vmHash) => this.#vms.get(vmHash) ?? []);
  }

  /** Migrations, those that failed lately among them, by machine. */
  get jobs(): ReadonlyMap<string, MigrationJob> {
    return this.#jobs;
  }

  /** Grows with every change. */
  get revision(): number {
    return this.#revision;
  }

  pushOf(nodeHash: string): PushRecord {
    // Rows of earlier versions lack what came later.
    return { ...firstPushRecord(nodeHash), ...this.#pushes.get(nodeHash) };
  }

  /**
   * Reads everything anew when another process has written, and tells of its events: a stand-by follows the active one
   * so.
   */
  reload(): void {
    const version = this.#database.version();
    if (version === this.#version) return;
    this.#version = version;
    this.#revision += 1;
    this.#vms = this.#read("SELECT hash AS key, record FROM vms ORDER BY hash");
    this.#ofNode.clear();
    for (const vm of this.#vms.values()) this.#index(vm.facts.vmHash, null, vm.allocatedNode);
    this.#nodes = this.#read("SELECT hash AS key, record FROM nodes ORDER BY hash");
    this.#jobs = this.#read("SELECT vm AS key, record FROM migrations");
    this.#pushes = this.#read("SELECT node AS key, record FROM pushes");
    for (let more = true; more; ) {
      const events = this.eventsSince(this.#toldSeq, TOLD_AT_ONCE);
      this.#tell(events);
      more = events.length === TOLD_AT_ONCE;
    }
  }

  /**
   * Makes changes together; listeners hear of the events once all is durable.
   *
   * @throws SchedulerError SCHEDULER_LEASE_LOST, and nothing is changed
   */
  change<Result>(work: (changes: Changes) => Result): Result {
    const changes = new Changes(this.#vms, this.#nodes);
    const result = work(changes);
    if (changes.isEmpty) return result;
    const events = this.#database.transaction(() => this.#write(changes));
    this.#revision += 1;
    for (const [hash, vm] of changes.vms) {
      this.#index(hash, this.#vms.get(hash)?.allocatedNode ?? null, vm.allocatedNode);
      this.#vms.set(hash, vm);
    }
    for (const [hash, node] of changes.nodes) this.#nodes.set(hash, node);
    for (const [hash, push] of changes.pushes) this.#pushes.set(hash, push);
    for (const [hash, job] of changes.jobs) {
      if (job === null) this.#jobs.delete(hash);
      else this.#jobs.set(hash, job);
    }
    for (const hash of changes.forgottenNodes) {
      this.#nodes.delete(hash);
      this.#pushes.delete(hash);
    }
    this.#tell(events);
    return result;
  }

  #index(vmHash: string, before: string | null, after: string | null): void {
    if (before !== null && before !== after) {
      const left = this.#ofNode.get(before);
      left?.delete(vmHash);
      if (left?.size === 0) this.#ofNode.delete(before);
    }
    if (after === null) return;
    const vms = this.#ofNode.get(after) ?? new Set();
    this.#ofNode.set(after, vms.add(vmHash));
  }

  #tell(events: readonly SchedulerEvent[]): void {
    this.#toldSeq = events.at(-1)?.seq ?? this.#toldSeq;
    for (const event of events) for (const listener of this.#listeners) listener(event);
  }

  onEvent(listener: (event: SchedulerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Events behind a number, oldest first. */
  eventsSince(seq: number, limit: number): readonly SchedulerEvent[] {
    return this.#database
      .all("SELECT seq, record FROM events WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit)
      .map((row) => ({ ...recordOf<Omit<SchedulerEvent, "seq">>(row), seq: Number(row.seq) }));
  }

  /** Rows of a machine or a node, newest first. */
  history(
    of: "vm" | "node",
    hash: string,
    page: { readonly limit: number; readonly offset: number },
  ): { readonly rows: readonly HistoryRow[]; readonly total: number } {
    const [count] = this.#database.all(`SELECT count(*) AS total FROM history WHERE ${of} = ?`, hash);
    const sql = `SELECT * FROM history WHERE ${of} = ? ORDER BY id DESC LIMIT ? OFFSET ?`;
    return {
      rows: this.#database.all(sql, hash, page.limit, page.offset).map(historyRow),
      total: Number(count?.total ?? 0),
    };
  }

  /** Nodes whose machines were started elsewhere since then because they were silent. */
  failoversSince(sinceMs: number): readonly string[] {
    const sql = "SELECT DISTINCT node FROM failovers WHERE at_ms >= ? ORDER BY node";
    return this.#database.all(sql, sinceMs).map((row) => String(row.node));
  }

  #write(changes: Changes): readonly SchedulerEvent[] {
    if (!this.#mayWrite()) {
      throw new SchedulerError("SCHEDULER_LEASE_LOST", "another scheduler decides now: nothing was written");
    }
    const database = this.#database;
    const put = (table: string, key: string, rows: Iterable<readonly [string, unknown]>): void => {
      const sql = `INSERT INTO ${table} (${key}, record) VALUES (?, ?) ON CONFLICT (${key}) DO UPDATE SET record = excluded.record`;
      for (const [hash, record] of rows) {
        if (record === null) database.run(`DELETE FROM ${table} WHERE ${key} = ?`, hash);
        else database.run(sql, hash, JSON.stringify(record));
      }
    };
    put("vms", "hash", changes.vms);
    put("nodes", "hash", changes.nodes);
    put("pushes", "node", changes.pushes);
    put("migrations", "vm", changes.jobs);
    for (const nodeHash of changes.forgottenNodes) {
      database.run("DELETE FROM nodes WHERE hash = ?", nodeHash);
      database.run("DELETE FROM pushes WHERE node = ?", nodeHash);
    }
    const atMs = this.#nowMs();
    if (changes.failovers.size > 0)
      database.run("DELETE FROM failovers WHERE at_ms < ?", atMs - KEPT_FAILOVERS_MS);
    for (const nodeHash of changes.failovers)
      database.run("INSERT INTO failovers (node, at_ms) VALUES (?, ?)", nodeHash, atMs);
    for (const { vmHash, nodeHash, action, reason } of changes.history) {
      const sql = "INSERT INTO history (vm, node, action, reason, at_ms) VALUES (?, ?, ?, ?, ?)";
      database.run(sql, vmHash, nodeHash, action, reason, atMs);
    }
    return changes.events.map(({ body, reason }) => this.#writeEvent(body, reason, atMs));
  }

  #writeEvent(body: SchedulerEventBody, reason: Reason | null, atMs: number): SchedulerEvent {
    const owner = "vmHash" in body ? (this.#vms.get(body.vmHash)?.facts.owner ?? null) : null;
    const record = { atMs, reason, owner, body };
    const seq = this.#database.run("INSERT INTO events (record) VALUES (?)", JSON.stringify(record));
    if (seq % 1_000 === 0) this.#database.run("DELETE FROM events WHERE seq <= ?", seq - MAX_EVENTS);
    return { seq, ...record };
  }

  #read<Record>(sql: string): Map<string, Record> {
    return new Map(this.#database.all(sql).map((row) => [String(row.key), recordOf<Record>(row)]));
  }
}

/** Rows of this file were written by this program. */
const recordOf = <Record>(row: SqlRow): Record => JSON.parse(String(row.record)) as Record;

const historyRow = (row: SqlRow): HistoryRow => ({
  id: Number(row.id),
  vmHash: String(row.vm),
  nodeHash: String(row.node),
  action: String(row.action) as HistoryAction,
  reason: row.reason === null ? null : String(row.reason),
  atMs: Number(row.at_ms),
});
