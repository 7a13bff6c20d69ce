import type { SqlChanges, SqlConnection, SqlRow, SqlValue } from "../sql/connection.ts";
import { POSTGRES } from "../sql/dialect.ts";
import { inTransaction } from "../sql/transactions.ts";
import { BlockingSession } from "./blocking-session.ts";
import { decodeValue } from "./decode-value.ts";
import { numberPlaceholders } from "./placeholders.ts";
import { ReadsTogether } from "./reads-together.ts";
import type { WireResult, WireStatement } from "./session-protocol.ts";

export interface PostgresOptions {
  readonly readOnly?: boolean;
  /** Shown by the server in its list of sessions (default "twentysix"). */
  readonly applicationName?: string;
  /** How long the server works on one statement (default 60 s). */
  readonly statementTimeoutMs?: number;
  /** Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** What it holds is lost with it, so once lost it stays so. */
  readonly isLasting?: boolean;
}

/** Statements that wait to be sent at most, and bytes of their values. */
const MAX_QUEUED = 2_000;
const MAX_QUEUED_BYTES = 8 * 1024 * 1024;
/** Rows of an open statement that are fetched at once. */
const FETCHED_ROWS = 500;

/**
 * One connection to a PostgreSQL server. Inside of a transaction, statements that return nothing wait and are sent
 * along with the next read or the commit, so that they cost no round trip of their own. A connection that was
 * lost takes its transaction along and is made again at the next statement after that.
 */
export class PostgresConnection implements SqlConnection {
  readonly dialect = POSTGRES;
  readonly #session: BlockingSession;
  #queue: QueuedStatement[] = [];
  #queuedBytes = 0;
  #writes = 0;
  #isInTransaction = false;
  /** The server has been told of the transaction. */
  #hasBegun = false;
  #together: ReadsTogether<WireResult> | null = null;
  #cursors = 0;
  #guard: WireStatement | null = null;

  constructor(url: string, options: PostgresOptions = {}) {
    this.#session = new BlockingSession({
      url,
      readOnly: options.readOnly ?? false,
      isLasting: options.isLasting ?? false,
      applicationName: options.applicationName ?? "twentysix",
      statementTimeoutMs: options.statementTimeoutMs ?? 60_000,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    });
  }

  get writes(): number | null {
    return this.#isInTransaction ? null : this.#writes;
  }

  exec(sql: string): void {
    this.#writes += 1;
    this.#send({ text: sql, values: null });
  }

  run(sql: string, ...parameters: SqlValue[]): SqlChanges {
    // What is guarded is written in no other way.
    if (this.#guard === null || this.#isInTransaction) return this.#enqueue(sql, parameters);
    return this.transaction(() => this.#enqueue(sql, parameters));
  }

  #enqueue(sql: string, parameters: readonly SqlValue[]): SqlChanges {
    this.#writes += 1;
    const queued = new QueuedStatement(statementOf(sql, parameters), () => this.#flush());
    this.#queue.push(queued);
    this.#queuedBytes += bytesOf(parameters);
    const isFull = this.#queue.length >= MAX_QUEUED || this.#queuedBytes >= MAX_QUEUED_BYTES;
    if (!this.#isInTransaction || isFull) this.#flush();
    return queued;
  }

  get<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T | undefined {
    return this.#read<T>(sql, parameters, false)[0];
  }

  all<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T[] {
    return this.#read<T>(sql, parameters, false);
  }

  getBig<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T | undefined {
    return this.#read<T>(sql, parameters, true)[0];
  }

  allBig<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T[] {
    return this.#read<T>(sql, parameters, true);
  }

  *iterateBig<T = SqlRow>(sql: string, ...parameters: SqlValue[]): Generator<T, void, undefined> {
    this.#cursors += 1;
    const cursor = `rows_${this.#cursors}`;
    const isOwnTransaction = !this.#isInTransaction;
    if (isOwnTransaction) this.begin();
    try {
      this.#send(statementOf(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${sql}`, parameters));
      for (;;) {
        const rows = this.#read<T>(`FETCH ${FETCHED_ROWS} FROM ${cursor}`, [], true);
        yield* rows;
        if (rows.length < FETCHED_ROWS) break;
      }
    } finally {
      if (isOwnTransaction) this.rollBack();
      else this.#send({ text: `CLOSE ${cursor}`, values: null });
    }
  }

  together(work: Iterable<() => void>): void {
    if (this.#together !== null) {
      for (const piece of work) piece();
      return;
    }
    const together = new ReadsTogether<WireResult>();
    try {
      together.run(this.#during(together, work), (statements) => this.#sendAll(statements));
    } finally {
      this.#together = null;
    }
  }

  begin(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#session.takeLost();
    this.#isInTransaction = true;
    this.#enqueue("BEGIN", []);
    if (this.#guard !== null) this.#queue.push(new QueuedStatement(this.#guard, () => this.#flush()));
  }

  /** From now on every transaction begins with this statement, which fails where none may go on. */
  guardTransactions(sql: string, ...parameters: SqlValue[]): void {
    this.#guard = statementOf(sql, parameters);
  }

  commit(): void {
    this.#enqueue("COMMIT", []);
    this.#isInTransaction = false;
    this.#flush();
  }

  rollBack(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#isInTransaction = false;
    this.#hasBegun = false;
    // With the connection the transaction has gone too.
    if (!this.#session.takeLost()) this.#send({ text: "ROLLBACK", values: null });
  }

  transaction<T>(work: () => T): T {
    return inTransaction(this, work);
  }

  close(): void {
    this.#session.close();
  }

  /** Pieces of work that find their answers in `together`; what is sent between two rounds is not. */
  *#during(together: ReadsTogether<WireResult>, work: Iterable<() => void>): Generator<() => void> {
    for (const piece of work) {
      yield () => {
        this.#together = together;
        try {
          piece();
        } finally {
          this.#together = null;
        }
      };
    }
  }

  #read<T>(sql: string, parameters: readonly SqlValue[], isBig: boolean): T[] {
    const statement = statementOf(sql, parameters);
    const { rows, names, types } = this.#together?.answerTo(statement) ?? this.#send(statement);
    return rows.map((row) => {
      const decoded: SqlRow = {};
      for (const [at, name] of names.entries()) {
        decoded[name] = decodeValue(row[at] ?? null, types[at] ?? 0, isBig);
      }
      return decoded as T;
    });
  }

  #send(statement: WireStatement): WireResult {
    const [result] = this.#sendAll([statement]);
    if (result === undefined) throw new Error("A statement was not answered");
    return result;
  }

  /** Sends what waits and these; gives the results of these. */
  #sendAll(statements: readonly WireStatement[]): readonly WireResult[] {
    const queue = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    const isContinued = this.#hasBegun;
    this.#hasBegun = this.#isInTransaction;
    const waiting = queue.map(({ statement }) => statement);
    const results = this.#session.run([...waiting, ...statements], isContinued);
    for (const [at, queued] of queue.entries()) queued.settle(results[at]?.changes ?? 0);
    return results.slice(queue.length);
  }

  #flush(): void {
    if (this.#queue.length > 0) this.#sendAll([]);
  }
}

class QueuedStatement implements SqlChanges {
  readonly statement: WireStatement;
  readonly #flush: () => void;
  #changes: number | null = null;

  constructor(statement: WireStatement, flush: () => void) {
    this.statement = statement;
    this.#flush = flush;
  }

  get changes(): number {
    if (this.#changes === null) this.#flush();
    if (this.#changes === null)
      throw new Error("A statement was given up before it was asked what it changed");
    return this.#changes;
  }

  settle(changes: number): void {
    this.#changes = changes;
  }
}

function statementOf(sql: string, parameters: readonly SqlValue[]): WireStatement {
  return { text: numberPlaceholders(sql), values: parameters.map(ownBytes) };
}

/** A view of a larger buffer would take all of it along to the other thread. */
function ownBytes(value: SqlValue): SqlValue {
  return value instanceof Uint8Array ? new Uint8Array(value) : value;
}

function bytesOf(parameters: readonly SqlValue[]): number {
  return parameters.reduce<number>(
    (sum, value) => sum + (typeof value === "string" || value instanceof Uint8Array ? value.length : 8),
    0,
  );
}
