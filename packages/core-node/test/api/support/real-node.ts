import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createMemoryLogger, createSystemClock, createSystemTimers } from "@twentysix/platform";
import {
  createEvmAccount,
  type LocalAccount,
  type MessageType,
  type NetworkDefinition,
  parseJson,
  parseNetworkDefinition,
} from "@twentysix/protocol";
import {
  blobFilePath,
  createPointReads,
  FileLedger,
  type ListReads,
  localPointReads,
  matchesFilter,
  SqliteConnection,
  type SyncPointReads,
  UNLIMITED,
} from "@twentysix/storage";
import { createListReads } from "@twentysix/storage/reader";
import { DEFAULT_API_SETTINGS } from "../../../src/api/settings.ts";
import { createLedgerAnswers, type LedgerAnswers } from "../../../src/ledger/ledger-answers.ts";
import { createLedgerCalls } from "../../../src/ledger/ledger-calls.ts";
import { aloneWith } from "../../../src/peers/custody/custody.ts";
import { Pipeline } from "../../../src/pipeline/pipeline.ts";
import { stateRulesOf } from "../../../src/pipeline/state-rules.ts";
import { submissionRules } from "../../../src/pipeline/submission-rules.ts";
import { createReaderLists } from "../../../src/reader/reader-lists.ts";
import type { LedgerSettings, ReadCall } from "../../../src/reader/reader-protocol.ts";
import { ReaderThread, type ReaderThreadOptions } from "../../../src/reader/reader-thread.ts";
import { isLedgerCall, isTreeCall, runReadCall } from "../../../src/reader/run-read-call.ts";
import { createEconomy } from "../../../src/services/economy.ts";
import { createRecalculation } from "../../../src/services/recalculation.ts";
import { type Lifetime, startApi, type TestApi } from "./start-api.ts";

/** Steps of long lists; small, so that a test meets several of them. */
const STEP_ITEMS = 7;

export interface RealNode extends TestApi {
  readonly pipeline: Pipeline;
  readonly reads: SyncPointReads;
  readonly account: LocalAccount;
  /** The thread that reads the lists, where the test asked for one. */
  readonly reader: ReaderThread | null;
  readonly databasePath: string;
  /** Signs and submits one message and waits until it is judged; returns its hash. */
  put(message: PutMessage): Promise<string>;
  /** The same with the content in a file beside the envelope. */
  putApart(message: PutMessage): Promise<string>;
  /** The text of a signed envelope. */
  sign(message: PutMessage): Promise<{ readonly text: string; readonly itemHash: string }>;
}

export interface PutMessage {
  readonly type: MessageType;
  /** Members of the content beside address and time, as JSON text without braces. */
  readonly members: string;
  readonly account?: LocalAccount;
  readonly channel?: string | null;
  /** Seconds as they are written. */
  readonly time?: string;
  readonly owner?: string;
}

export function testAccount(seed: number): LocalAccount {
  return createEvmAccount({ privateKey: createHash("sha256").update(`account ${seed}`).digest() });
}

export interface RealNodeOptions extends NonNullable<Parameters<typeof startApi>[1]> {
  /** What differs from the local network. */
  readonly network?: (definition: NetworkDefinition) => NetworkDefinition;
  /** Given: lists are read by a thread of their own, in steps of the usual size; else on this thread, in small ones. */
  readonly reader?: Partial<ReaderThreadOptions>;
}

/** An API over a real pipeline and a real database in a temporary folder. */
export async function startRealNode(
  context: Lifetime,
  { reader: readerOptions, network = (definition) => definition, ...options }: RealNodeOptions = {},
): Promise<RealNode> {
  const folder = await mkdtemp(join(tmpdir(), "twentysix-node-"));
  const databasePath = join(folder, "node.db");
  const blobsPath = join(folder, "blobs");
  const definition = network(await localNetwork());
  const rules = stateRulesOf(definition, definition.limits.gracePeriodSeconds * 1_000);
  const pipeline = await Pipeline.start({
    databasePath,
    blobs: { folder: blobsPath },
    writerCacheBytes: 4 * 1024 * 1024,
    switches: definition.switches,
    limits: definition.limits,
    rules,
    priceDefaults: definition,
    verifierCount: 1,
    maxInFlight: 1_000,
    clock: createSystemClock(),
    timers: createSystemTimers(),
    log: createMemoryLogger(),
    logPretty: false,
  });
  const connection = new SqliteConnection(databasePath, { readOnly: true });
  const reads = createPointReads(connection);
  const timers = createSystemTimers();
  const ledger = { rules: submissionRules(rules), definition };
  const reader = readerOptions && new ReaderThread({ databasePath, timers, ledger, ...readerOptions });
  const limits = { ...DEFAULT_API_SETTINGS.lists, ...options.settings?.lists };
  const lists = reader === undefined ? listReads(connection) : createReaderLists(reader, limits);
  const asked = localPointReads(reads);
  const clock = createSystemClock();
  const log = createMemoryLogger();
  const answers = reader === undefined ? ledgerAnswers(connection, ledger) : createLedgerAnswers(reader);
  const economy = createEconomy({
    definition,
    rules,
    reads: asked,
    ledger: answers,
    recalculation: createRecalculation({ pipeline, clock, log }),
  });
  const files = new FileLedger(connection);
  const services = {
    reads: asked,
    lists,
    ledger: answers,
    economy,
    custodyOf: async (fileHash: string) => aloneWith(files.keptFile(fileHash), definition),
    onCommit: (listener: () => void) => pipeline.onCommit(() => listener()),
    matches: matchesFilter,
  };
  const api = await startApi(context, { ...options, services });
  connect(api, pipeline, reads);
  context.after(async () => {
    await reader?.close();
    await pipeline.close();
    connection.close();
    await rm(folder, { recursive: true });
  });
  const account = testAccount(0);
  const sign = (message: PutMessage) => signMessage({ account, ...message });
  return {
    ...api,
    pipeline,
    reads,
    account,
    reader: reader ?? null,
    databasePath,
    sign,
    putApart: async (message) => {
      const { text, itemHash } = await sign(message);
      const { item_content: content, ...envelope } = JSON.parse(text) as { item_content: string };
      const bytes = Buffer.from(content);
      const path = blobFilePath(blobsPath, itemHash);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
      const file = { hash: itemHash, sizeBytes: bytes.length, type: "file", cid: null } as const;
      await pipeline.registerFile({ ...file, sha256: Buffer.from(itemHash, "hex") }, null);
      await pipeline.submit(JSON.stringify({ ...envelope, item_type: "storage" }), { origin: "http" });
      return itemHash;
    },
    put: async (message) => {
      const { text, itemHash } = await sign(message);
      await pipeline.submit(text, { origin: "http" });
      return itemHash;
    },
  };
}

async function localNetwork(): Promise<NetworkDefinition> {
  const path = new URL("../../../../../networks/local.json", import.meta.url);
  const json = parseJson(await readFile(path, "utf8"));
  const result = json.ok ? parseNetworkDefinition(json.value) : null;
  if (result === null || !result.ok) throw new Error("networks/local.json is not a network definition");
  return result.definition;
}

/** Submissions go to the pipeline, and its commits to the sockets. */
function connect({ services }: TestApi, pipeline: Pipeline, reads: SyncPointReads): void {
  services.outcome = async ({ text, origin }) => {
    const result = await pipeline.submit(text, { origin });
    const { itemHash, status, refused, known, errorCode, errorText, details } = result;
    return {
      itemHash,
      status,
      refused,
      known,
      publication: { status: "success", failed: [], recipients: 0 },
      ...(errorCode === undefined ? {} : { errorCode }),
      ...(errorText === undefined ? {} : { reason: errorText }),
      ...(details === undefined ? {} : { details }),
    };
  };
  services.files.onRegister = async (file, graceUntilMicros) => {
    const sha256 = file.sha256 === null ? null : Buffer.from(file.sha256, "hex");
    await pipeline.registerFile({ ...file, sha256, cid: null }, graceUntilMicros);
  };
  let lastSeq = 0;
  pipeline.onCommit(({ changes }) => {
    const chunk = reads.liveMessages(lastSeq, { messages: 1_000, bytes: Number.POSITIVE_INFINITY });
    lastSeq = chunk.seq;
    for (const message of chunk.messages) services.announce(message);
    for (const { itemHash } of changes) services.changeItem(itemHash);
  });
}

/** The reads of the reader thread, on this thread. */
function listReads(connection: SqliteConnection): ListReads {
  const sync = createListReads(connection);
  const limits = { ...DEFAULT_API_SETTINGS.lists, stepItems: STEP_ITEMS };
  const read = async (call: ReadCall): Promise<unknown> => {
    const unexpected = new Error("a list was expected to be read");
    if (isLedgerCall(call) || isTreeCall(call)) throw unexpected;
    switch (call.kind) {
      case "point":
      case "fileRecord":
      case "chainRecord":
        throw unexpected;
      default:
        return runReadCall(sync, call, UNLIMITED);
    }
  };
  return createReaderLists({ call: read }, limits);
}

/** What the reader thread answers about money, on this thread. */
function ledgerAnswers(connection: SqliteConnection, settings: LedgerSettings): LedgerAnswers {
  const answer = createLedgerCalls(connection, settings, createSystemClock());
  return createLedgerAnswers({
    call: async (call) => {
      if (!isLedgerCall(call)) throw new Error("a question about money was expected");
      return await answer(call);
    },
  });
}

async function signMessage({
  type,
  members,
  account,
  channel = "TEST",
  time = "1700000000.5",
  owner,
}: PutMessage & { readonly account: LocalAccount }): Promise<{ text: string; itemHash: string }> {
  const content = `{"address":${JSON.stringify(owner ?? account.address)},"time":${time}${members === "" ? "" : `,${members}`}}`;
  const itemHash = createHash("sha256").update(content).digest("hex");
  const timeMicros = BigInt(Math.round(Number(time) * 1e6));
  const signature = await account.sign({ type, itemHash, timeMicros });
  const fields = [
    `"chain":"${account.chain}"`,
    `"sender":${JSON.stringify(account.address)}`,
    `"type":"${type}"`,
    `"channel":${JSON.stringify(channel)}`,
    `"time":${time}`,
    `"item_type":"inline"`,
    `"item_content":${JSON.stringify(content)}`,
    `"item_hash":"${itemHash}"`,
    `"signature":${JSON.stringify(signature)}`,
  ];
  return { text: `{${fields.join(",")}}`, itemHash };
}
