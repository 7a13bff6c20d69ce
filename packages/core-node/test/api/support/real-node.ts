import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createMemoryLogger, createSystemClock, createSystemTimers } from "@twentysix/platform";
import {
  createEvmAccount,
  type LocalAccount,
  type MessageType,
  parseJson,
  parseNetworkDefinition,
} from "@twentysix/protocol";
import {
  createSqliteListReads,
  createSqlitePointReads,
  type ItemStream,
  type ListName,
  type ListQueries,
  type ListRead,
  type ListReads,
  matchesFilter,
  type PointReads,
  SqliteConnection,
  UNLIMITED,
} from "@twentysix/storage";
import { Pipeline } from "../../../src/pipeline/pipeline.ts";
import { stateRulesOf } from "../../../src/pipeline/state-rules.ts";
import { startApi, type TestApi } from "./start-api.ts";

/** Chunks of streams; small, so that a test meets several of them. */
const CHUNK_ITEMS = 7;

export interface RealNode extends TestApi {
  readonly pipeline: Pipeline;
  readonly reads: PointReads;
  readonly account: LocalAccount;
  /** Signs and submits one message and waits until it is judged; returns its hash. */
  put(message: PutMessage): Promise<string>;
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

/** An API over a real pipeline and a real database in a temporary folder. */
export async function startRealNode(
  context: TestContext,
  options: Parameters<typeof startApi>[1] = {},
): Promise<RealNode> {
  const folder = await mkdtemp(join(tmpdir(), "twentysix-node-"));
  const databasePath = join(folder, "node.db");
  const definition = await localNetwork();
  const pipeline = await Pipeline.start({
    databasePath,
    blobsPath: join(folder, "blobs"),
    writerCacheBytes: 4 * 1024 * 1024,
    switches: definition.switches,
    limits: definition.limits,
    rules: stateRulesOf(definition, definition.limits.gracePeriodSeconds * 1_000),
    verifierCount: 1,
    maxInFlight: 1_000,
    clock: createSystemClock(),
    timers: createSystemTimers(),
    log: createMemoryLogger(),
    logPretty: false,
  });
  const connection = new SqliteConnection(databasePath, { readOnly: true });
  const reads = createSqlitePointReads(connection);
  const services = { reads, lists: listReads(connection), matches: matchesFilter };
  const api = await startApi(context, { ...options, services });
  connect(api, pipeline, reads);
  context.after(async () => {
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
    sign,
    put: async (message) => {
      const { text, itemHash } = await sign(message);
      await pipeline.submit(text, { origin: "http" });
      return itemHash;
    },
  };
}

async function localNetwork() {
  const path = new URL("../../../../../networks/local.json", import.meta.url);
  const json = parseJson(await readFile(path, "utf8"));
  const result = json.ok ? parseNetworkDefinition(json.value) : null;
  if (result === null || !result.ok) throw new Error("networks/local.json is not a network definition");
  return result.definition;
}

/** Submissions go to the pipeline, and its commits to the sockets. */
function connect({ services }: TestApi, pipeline: Pipeline, reads: PointReads): void {
  services.outcome = async ({ text, origin }) => {
    const result = await pipeline.submit(text, { origin });
    const { itemHash, status, refused, known, errorCode, errorText, details } = result;
    return {
      itemHash,
      status,
      refused,
      known,
      publication: { status: "success", failed: [] },
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
    for (const message of reads.liveMessages(lastSeq, 1_000)) {
      lastSeq = message.seq;
      services.announce(message);
    }
    for (const { itemHash } of changes) services.changeItem(itemHash);
  });
}

/** The reads of the reader thread, on this thread. */
function listReads(connection: SqliteConnection): ListReads {
  const sync = createSqliteListReads(connection);
  const list = <Name extends ListName>(name: Name): ListRead<ListQueries[Name]> => {
    const reader = sync.lists[name];
    return {
      page: async (query, page) => reader.page(query, page, UNLIMITED),
      cursor: async (query, request) => reader.cursor(query, request, UNLIMITED),
      async *stream(query): ItemStream {
        let cursor: string | null = null;
        do {
          const page = reader.cursor(query, { cursor, pageSize: CHUNK_ITEMS }, UNLIMITED);
          yield page.items;
          cursor = page.nextCursor;
        } while (cursor !== null);
      },
    };
  };
  const accountFiles = list("accountFiles");
  return {
    messages: list("messages"),
    terminated: list("terminated"),
    hashes: list("hashes"),
    posts: list("posts"),
    aggregates: list("aggregates"),
    accountFiles: {
      ...accountFiles,
      page: async (query, page) => ({
        ...(await accountFiles.page(query, page)),
        totalSizeBytes: sync.accountFilesSize(query.address),
      }),
    },
    addressStats: list("addressStats"),
    accountFilesSize: async (address) => sync.accountFilesSize(address),
    authorizationsReceived: async (address, filter = {}) =>
      sync.authorizationsReceived(address, filter, UNLIMITED),
    channels: async () => sync.channels(UNLIMITED),
    programsOnMessage: async (direction) => sync.programsOnMessage(direction),
    nodeMetrics: async (query) => sync.nodeMetrics(query),
  };
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
