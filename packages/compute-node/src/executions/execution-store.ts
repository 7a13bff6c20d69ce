import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Clock } from "@twentysix/platform";
import { ExecutionError } from "./errors.ts";
import type { Execution, ExecutionReason, ExecutionState, ExecutionTimes } from "./execution.ts";
import { columnsOf, executionOf } from "./execution-row.ts";
import { assertTransition } from "./transitions.ts";

/** What a machine is defined with; numbers and times come from the store. */
export type NewExecution = Pick<
  Execution,
  "vmHash" | "kind" | "isPersistent" | "source" | "owner" | "content"
> & { readonly state: "defined" | "importing" };

export type ExecutionChanges = Partial<
  Pick<Execution, "desired" | "reason" | "isPersistent" | "source" | "mode">
>;

export type ExecutionListener = (execution: Execution) => void;

/** The smallest number of a machine (`START_ID_INDEX` of the reference), and how many addresses there are. */
const FIRST_NUMBER = 4;
const LAST_NUMBER = 4_095;

const TIME_OF_STATE: Partial<Record<ExecutionState, keyof ExecutionTimes>> = {
  preparing: "preparingAtMs",
  prepared: "preparedAtMs",
  starting: "startingAtMs",
  running: "startedAtMs",
  stopping: "stoppingAtMs",
  stopped: "stoppedAtMs",
  failed: "stoppedAtMs",
};

const NO_TIMES = {
  preparingAtMs: null,
  preparedAtMs: null,
  startingAtMs: null,
  startedAtMs: null,
  stoppingAtMs: null,
  stoppedAtMs: null,
};

interface Entry {
  readonly id: number;
  execution: Execution;
  isResolved: boolean;
}

/**
 * The rows of executions. What is not gone is also held in memory, and only changes together with its row: a change is
 * on the disk before anybody sees it.
 */
export class ExecutionStore {
  readonly #database: DatabaseSync;
  readonly #clock: Pick<Clock, "nowMicros">;
  readonly #live = new Map<string, Entry>();
  readonly #listeners = new Set<ExecutionListener>();

  constructor(database: DatabaseSync, clock: Pick<Clock, "nowMicros">) {
    this.#database = database;
    this.#clock = clock;
    const rows = database.prepare("SELECT * FROM executions WHERE state <> 'gone' ORDER BY id").all();
    for (const row of rows) {
      const execution = executionOf(row);
      const isResolved = row.resolved !== null;
      this.#live.set(execution.vmHash, { id: Number(row.id), execution, isResolved });
    }
  }

  get(vmHash: string): Execution | null {
    return this.#live.get(vmHash)?.execution ?? null;
  }

  /** @throws ExecutionError NOT_FOUND */
  require(vmHash: string): Execution {
    return this.#entry(vmHash).execution;
  }

  /** What is not gone, oldest first. */
  list(): readonly Execution[] {
    return Array.from(this.#live.values(), ({ execution }) => execution);
  }

  /** With those that are gone, newest first. */
  *records(limit: number): Generator<Execution, void, undefined> {
    const newest = this.#database.prepare(
      "SELECT id FROM executions ORDER BY defined_at_ms DESC, id DESC LIMIT ?",
    );
    const byId = this.#database.prepare("SELECT * FROM executions WHERE id = ?");
    for (const { id } of newest.all(limit)) {
      // Old ones go while others are read.
      const row = byId.get(id ?? null);
      if (row !== undefined) yield executionOf(row);
    }
  }

  /** The last record of a machine, also when it is gone. */
  lastRecord(vmHash: string): Execution | null {
    const live = this.get(vmHash);
    if (live !== null) return live;
    const row = this.#database
      .prepare("SELECT * FROM executions WHERE vm_hash = ? ORDER BY id DESC LIMIT 1")
      .get(vmHash);
    return row === undefined ? null : executionOf(row);
  }

  /** @throws ExecutionError BUSY (it is here already), NO_CAPACITY (no number is free) */
  define(fresh: NewExecution): Execution {
    if (this.#live.has(fresh.vmHash)) {
      throw new ExecutionError("BUSY", `machine ${fresh.vmHash} is on this node already`);
    }
    const execution: Execution = {
      ...fresh,
      vmNumber: this.#freeNumber(),
      desired: "running",
      reason: null,
      resolved: fresh.content,
      mode: "normal",
      times: { definedAtMs: this.#nowMs(), ...NO_TIMES },
    };
    const columns = columnsOf(execution, false);
    const names = Object.keys(columns);
    const statement = `INSERT INTO executions (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`;
    const { lastInsertRowid } = this.#database.prepare(statement).run(...Object.values(columns));
    this.#live.set(fresh.vmHash, { id: Number(lastInsertRowid), execution, isResolved: false });
    this.#tell(execution);
    return execution;
  }

  /**
   * Changes the state, and with it the time at which it was reached. Without `reason` among the changes, the reason
   * goes: it belongs to the state that it explains.
   *
   * @throws ExecutionError NOT_FOUND, INVALID_STATE
   */
  transition(vmHash: string, to: ExecutionState, changes: ExecutionChanges = {}): Execution {
    const { execution } = this.#entry(vmHash);
    assertTransition(vmHash, execution.state, to);
    return this.#write(vmHash, { reason: null, ...changes, state: to, times: this.#timesAt(execution, to) });
  }

  /** @throws ExecutionError NOT_FOUND */
  change(vmHash: string, changes: ExecutionChanges): Execution {
    return this.#write(vmHash, changes);
  }

  /** Whether the newest files were looked for since the disks of the machine were made. */
  isResolved(vmHash: string): boolean {
    return this.#entry(vmHash).isResolved;
  }

  /** null: they are to be looked for again. */
  resolve(vmHash: string, resolved: Execution["resolved"] | null): void {
    const { execution } = this.#entry(vmHash);
    this.#write(vmHash, { resolved: resolved ?? execution.content }, resolved !== null);
  }

  onChange(listener: ExecutionListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  reason(code: string, text: string): ExecutionReason {
    return { code, text: text.slice(0, 2_000), atMs: this.#nowMs() };
  }

  /** Drops records of machines that are gone: those older than the time, and all but the newest `keep`. */
  prune(beforeMs: number, keep: number): void {
    this.#database
      .prepare(
        `DELETE FROM executions WHERE state = 'gone' AND (defined_at_ms < ? OR id NOT IN
          (SELECT id FROM executions WHERE state = 'gone' ORDER BY id DESC LIMIT ?))`,
      )
      .run(beforeMs, keep);
  }

  /** A text kept beside the executions, such as the time of the last proof of contact. */
  fact(name: string): string | null {
    const row = this.#database.prepare("SELECT value FROM facts WHERE name = ?").get(name);
    return typeof row?.value === "string" ? row.value : null;
  }

  setFact(name: string, value: string): void {
    this.#database.prepare("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)").run(name, value);
  }

  #write(
    vmHash: string,
    changes: Partial<Execution>,
    isResolved = this.#entry(vmHash).isResolved,
  ): Execution {
    const entry = this.#entry(vmHash);
    const execution: Execution = { ...entry.execution, ...changes };
    const before = columnsOf(entry.execution, entry.isResolved);
    const after = Object.entries(columnsOf(execution, isResolved));
    const changed = after.filter(([name, value]) => before[name] !== value);
    if (changed.length === 0) return entry.execution;
    const values: SQLInputValue[] = changed.map(([, value]) => value);
    this.#database
      .prepare(`UPDATE executions SET ${changed.map(([name]) => `${name} = ?`).join(", ")} WHERE id = ?`)
      .run(...values, entry.id);
    entry.execution = execution;
    entry.isResolved = isResolved;
    if (execution.state === "gone") this.#live.delete(vmHash);
    this.#tell(execution);
    return execution;
  }

  #entry(vmHash: string): Entry {
    const entry = this.#live.get(vmHash);
    if (entry !== undefined) return entry;
    throw new ExecutionError("NOT_FOUND", `No virtual machine with ref ${vmHash}`);
  }

  /** Clients take the latest time for the state: times of one machine grow strictly, whatever the clock does. */
  #timesAt({ times }: Execution, to: ExecutionState): ExecutionTimes {
    const key = TIME_OF_STATE[to];
    if (key === undefined) return times;
    const last = Math.max(...Object.values(times).map((atMs) => atMs ?? 0));
    const base: ExecutionTimes = to === "preparing" ? { ...times, ...NO_TIMES } : times;
    return { ...base, [key]: Math.max(this.#nowMs(), last + 1) };
  }

  #freeNumber(): number {
    const taken = new Set(Array.from(this.#live.values(), ({ execution }) => execution.vmNumber));
    for (let number = FIRST_NUMBER; number <= LAST_NUMBER; number += 1) if (!taken.has(number)) return number;
    throw new ExecutionError(
      "NO_CAPACITY",
      `all ${LAST_NUMBER - FIRST_NUMBER + 1} networks of machines are taken; erase machines that are stopped`,
    );
  }

  #tell(execution: Execution): void {
    for (const listener of this.#listeners) listener(execution);
  }

  #nowMs(): number {
    return Number(this.#clock.nowMicros() / 1_000n);
  }
}
