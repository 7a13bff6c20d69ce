import { workerData } from "node:worker_threads";
import pg from "pg";
import type {
  SessionAnswer,
  SessionData,
  SessionRequest,
  WireResult,
  WireStatement,
} from "./session-protocol.ts";

/*
 * Thread: one session with a PostgreSQL server, for a thread that waits. It connects when it is first asked
 * something, and again when the connection was lost.
 */

const data = workerData as SessionData;
const { port } = data;
const answers = new Int32Array(data.answers);

/** Statements that the server keeps parsed; more shapes than that are parsed each time. */
const MAX_PREPARED = 400;
const names = new Map<string, string>();

let client: pg.Client | null = null;
let hasConnected = false;

/**
 * The server finds out within ten seconds that the machine of a session is gone, and gives back what that held.
 */
const SETTINGS = [
  "-c tcp_keepalives_idle=3 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=2",
  ...(data.readOnly ? ["-c default_transaction_read_only=on"] : []),
];

function answer(message: SessionAnswer): void {
  port.postMessage(message);
  Atomics.add(answers, 0, 1);
  Atomics.notify(answers, 0);
}

async function connect(): Promise<pg.Client> {
  const connecting = new pg.Client({
    connectionString: data.url,
    application_name: data.applicationName,
    connectionTimeoutMillis: data.connectTimeoutMs,
    statement_timeout: data.statementTimeoutMs,
    keepAlive: true,
    pipeline: true,
    options: SETTINGS.join(" "),
  } as pg.ClientConfig);
  connecting.on("error", () => {
    if (client === connecting) client = null;
  });
  await connecting.connect();
  hasConnected = true;
  names.clear();
  return connecting;
}

function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined) return known;
  if (names.size >= MAX_PREPARED) return undefined;
  const name = `s${names.size}`;
  names.set(text, name);
  return name;
}

/** Values come as texts: the calling thread knows how it wants them. */
const AS_TEXT = { getTypeParser: () => (value: string) => value };

async function run(session: pg.Client, { text, values }: WireStatement): Promise<WireResult> {
  if (values === null) {
    await session.query(text);
    return { changes: 0, names: [], types: [], rows: [] };
  }
  const name = nameOf(text);
  const result = await session.query({
    text,
    values: [...values],
    rowMode: "array",
    types: AS_TEXT,
    ...(name === undefined ? {} : { name }),
  } as pg.QueryArrayConfig);
  return {
    changes: result.rowCount ?? 0,
    names: result.fields.map((field) => field.name),
    types: result.fields.map((field) => field.dataTypeID),
    rows: result.rows as WireResult["rows"],
  };
}

async function runAll(statements: readonly WireStatement[], isContinued: boolean): Promise<SessionAnswer> {
  try {
    if (client === null && isContinued) throw new Error("the connection was lost during a transaction");
    if (client === null && data.isLasting && hasConnected) throw new Error("the connection was lost");
    client ??= await connect();
    const session = client;
    const outcomes = await Promise.allSettled(statements.map((statement) => run(session, statement)));
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) return failureOf(failed.reason);
    const results = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    return { kind: "results", results };
  } catch (error) {
    return failureOf(error);
  }
}

function failureOf(error: unknown): SessionAnswer {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const sqlState = error instanceof pg.DatabaseError ? (error.code ?? null) : null;
  if (sqlState === null) client = null;
  return { kind: "failed", message, sqlState, isOpen: client !== null };
}

port.on("message", (request: SessionRequest) => {
  if (request.kind === "run") {
    void runAll(request.statements, request.isContinued).then(answer);
    return;
  }
  const ending = client;
  client = null;
  void Promise.resolve(ending?.end()).then(
    () => answer({ kind: "closed" }),
    () => answer({ kind: "closed" }),
  );
});
