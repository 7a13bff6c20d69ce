import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryLogger, createSeededRandom } from "@twentysix/platform";
import {
  contractChainsOf,
  type NetworkDefinition,
  type ProtocolSwitches,
  parseJson,
  parseNetworkDefinition,
} from "@twentysix/protocol";
import { createNodeCrypto } from "@twentysix/protocol/node";
import { type PriceCheck, World } from "@twentysix/state";
import {
  type Confirmation,
  createPointReads,
  type ItemText,
  type MessageFilter,
  type NodeMetricsRow,
  type Origin,
  renderMessageView,
  type SyncPointReads,
  UNLIMITED,
} from "@twentysix/storage";
import { createListReads } from "@twentysix/storage/reader";
import { MessageStore, StateTree } from "@twentysix/storage/writer";
import { createCopyReader } from "../../../src/pipeline/copy-reader.ts";
import { aggregateFields } from "../../../src/pipeline/prepare-message.ts";
import { stateRulesOf } from "../../../src/pipeline/state-rules.ts";
import { submissionRules } from "../../../src/pipeline/submission-rules.ts";
import { type VerifiedCopy, verifyCopy } from "../../../src/pipeline/verify-copy.ts";
import { BatchWriter } from "../../../src/pipeline/writer/batch-writer.ts";
import type { CopyJob, CopyResult } from "../../../src/pipeline/writer/jobs.ts";
import { createPriceLists } from "../../../src/pipeline/writer/price-lists.ts";

const crypto = createNodeCrypto();

export function networkDefinition(
  name: "local" | "mainnet",
  switches: Partial<ProtocolSwitches> = {},
): NetworkDefinition {
  const path = new URL(`../../../../../networks/${name}.json`, import.meta.url);
  const parsed = parseJson(readFileSync(path, "utf8"));
  const result = parsed.ok ? parseNetworkDefinition(parsed.value) : null;
  if (result === null || !result.ok) throw new Error(`networks/${name}.json cannot be read`);
  return { ...result.definition, switches: { ...result.definition.switches, ...switches } };
}

/** Content of the n-th test file, and its name. */
export const testFile = (n: number): { readonly hash: string; readonly sizeBytes: number } => {
  const bytes = Buffer.from(`test file ${n}`);
  return { hash: createHash("sha256").update(bytes).digest("hex"), sizeBytes: bytes.length };
};

/** Where harnesses get their databases. */
export interface TestDatabases {
  take(folder: string | null): string;
  giveBack(location: string): void;
}

let databases: TestDatabases = {
  take: (folder) => (folder === null ? ":memory:" : join(folder, "messages.sqlite")),
  giveBack: () => undefined,
};

/** From now on a harness has its database from there, as one of another engine. */
export function harnessOn(others: TestDatabases): void {
  databases = others;
}

/** The writer of a node over a real database, with a clock that jumps to whatever is due next. */
export class StateHarness implements AsyncDisposable {
  readonly store: MessageStore;
  readonly #folder: string | null;
  readonly #location: string;
  readonly #isOwnFolder: boolean;
  readonly #writer: BatchWriter;
  readonly #definition: NetworkDefinition;
  readonly contents = new Map<string, string>();
  readonly log = createMemoryLogger();
  nowMicros = 1_800_000_000_000_000n;
  /** Judges what costs; a test may set another. */
  priceCheck: PriceCheck = () => ({ ok: true });
  #jobId = 0;

  private constructor(
    folder: string | null,
    definition: NetworkDefinition,
    options: { readonly seed?: number; readonly isOwnFolder?: boolean; readonly location?: string } = {},
  ) {
    const { seed = 26, isOwnFolder = true, location = databases.take(folder) } = options;
    this.#folder = folder;
    this.#isOwnFolder = isOwnFolder;
    this.#definition = definition;
    this.#location = location;
    const reader = createCopyReader(crypto.sha256, definition.switches, definition.limits);
    this.store = new MessageStore({
      path: this.#location,
      synchronous: "off",
      readElementFields: (envelope, content) => aggregateFields(content ?? inlineContent(envelope)),
    });
    const rules = stateRulesOf(definition, definition.limits.gracePeriodSeconds * 1_000);
    this.#writer = new BatchWriter({
      store: this.store,
      rules,
      // What stories tell of the `security` aggregate depends on the door by no more than its switch.
      submissionRules: {
        ...submissionRules(rules),
        securityAggregateOwnerOnly: rules.securityAggregateOwnerOnly,
      },
      limits: definition.limits,
      reader,
      contents: { read: async (itemHash) => this.contents.get(itemHash) ?? null },
      priceCheck: (request) => this.priceCheck(request),
      priceLists: createPriceLists({
        store: this.store,
        clock: { nowMicros: () => this.nowMicros },
        log: this.log,
        defaults: definition,
      }),
      clock: { nowMicros: () => this.nowMicros, monotonicMs: () => Number(this.nowMicros / 1_000n) },
      random: createSeededRandom(seed),
    });
  }

  static async open(definition: NetworkDefinition): Promise<StateHarness> {
    return new StateHarness(await mkdtemp(join(tmpdir(), "twentysix-state-")), definition);
  }

  /** Over the folder of somebody else, which stays. */
  static over(folder: string, definition: NetworkDefinition): StateHarness {
    return new StateHarness(folder, definition, { isOwnFolder: false });
  }

  /** Another process over the same database, on any engine; to be used instead of this one from then on. */
  restart(): StateHarness {
    this.store.close();
    const next = new StateHarness(this.#folder, this.#definition, {
      isOwnFolder: this.#isOwnFolder,
      location: this.#location,
    });
    next.nowMicros = this.nowMicros;
    next.priceCheck = this.priceCheck;
    return next;
  }

  /** The same in memory, for tests that need no file. */
  static inMemory(definition: NetworkDefinition, seed?: number): StateHarness {
    return new StateHarness(null, definition, seed === undefined ? {} : { seed });
  }

  /** Tells the writer whether its node has what peers have. */
  knowsAll(isComplete: boolean): void {
    this.#writer.knowsAll(isComplete);
  }

  /** Tells the node of a file that it holds. */
  async hold(...files: readonly { readonly hash: string; readonly sizeBytes: number }[]): Promise<void> {
    await this.#register(files, null);
  }

  /** The same of a file that came without a message. */
  async holdForGrace(file: { readonly hash: string; readonly sizeBytes: number }): Promise<void> {
    await this.#register([file], this.nowMicros + 86_400_000_000n);
  }

  async #register(
    files: readonly { readonly hash: string; readonly sizeBytes: number }[],
    graceUntilMicros: bigint | null,
  ): Promise<void> {
    const sideJobs = files.map((file) => ({
      kind: "file" as const,
      jobId: 0,
      file: { ...file, type: "file" as const, sha256: null, cid: null },
      graceUntilMicros,
    }));
    await this.#writer.write({ sideJobs, copies: [], candidates: [] });
  }

  /** The content of a message that is not inline arrives. */
  async upload(content: string): Promise<void> {
    const hash = createHash("sha256").update(content).digest("hex");
    this.contents.set(hash, content);
    await this.hold({ hash, sizeBytes: Buffer.byteLength(content) });
  }

  /** A chain transaction that carried the message is read. */
  async confirm(confirmation: Confirmation): Promise<void> {
    const sideJobs = [{ kind: "confirmation" as const, jobId: 0, confirmation }];
    await this.#writer.write({ sideJobs, copies: [], candidates: [] });
  }

  /** As if a sweep of balances had removed the message, of which the node knows nothing else. */
  markRemoved(itemHash: string): void {
    const world = new World();
    const removed = {
      status: "removed" as const,
      receptionMicros: this.nowMicros,
      live: null,
      forgotten: null,
    };
    world.facts.items.load(itemHash, null);
    world.facts.items.set(itemHash, removed);
    this.store.begin();
    this.store.save(world, {
      nowMicros: this.nowMicros,
      originOf: () => ({ origin: "http", receptionMicros: this.nowMicros }),
      requeue: () => {},
    });
    this.store.finish();
    this.store.commit();
  }

  /** As at the start of a writer: the prices in force are known by name. */
  async announcePrices(): Promise<void> {
    await this.#writer.announcePrices();
  }

  /** Decides for every account whose event has come which of its messages it can pay for. */
  async sweep(): Promise<void> {
    for (let slice = 0; slice < 10_000; slice += 1) {
      const owners = this.store.dueAccounts(this.nowMicros, 64);
      if (owners.length === 0) return;
      await this.#writer.sweep(owners);
    }
    throw new Error("The sweep does not come to rest");
  }

  /** One batch of envelopes. */
  async submit(...texts: readonly string[]): Promise<readonly CopyResult[]> {
    return await this.receive("http", ...texts);
  }

  /** The same through another door. */
  async receive(origin: Origin, ...texts: readonly string[]): Promise<readonly CopyResult[]> {
    const copies = texts.map((text) => {
      this.#jobId += 1;
      const copy = verified(text, this.#definition);
      return { jobId: this.#jobId, copy, origin, receptionMicros: this.nowMicros };
    });
    this.nowMicros += 1_000n;
    const results: CopyResult[] = [];
    for (let left: readonly CopyJob[] = copies; left.length > 0; ) {
      const written = await this.#writer.write({ sideJobs: [], copies: left, candidates: [] });
      results.push(...written.results);
      left = written.left;
    }
    return results;
  }

  /** Runs what is due now, once. */
  async runDue(): Promise<void> {
    const candidates = this.store.due(this.nowMicros, 64);
    await this.#writer.write({ sideJobs: [], copies: [], candidates });
    this.nowMicros += 1_000n;
  }

  /** Runs everything that is or becomes due until nothing is queued any more. */
  async settle(): Promise<void> {
    for (let round = 0; round < 10_000; round += 1) {
      if (this.store.nextDueMicros() === null) return;
      await this.nextRound();
    }
    throw new Error("The queue does not come to rest");
  }

  /** Goes to when something is due next and tries that; returns the time at which it was tried. */
  async nextRound(): Promise<bigint> {
    const due = this.store.nextDueMicros();
    if (due !== null && due > this.nowMicros) this.nowMicros = due;
    const atMicros = this.nowMicros;
    const candidates = this.store.due(atMicros, 64);
    await this.#writer.write({ sideJobs: [], copies: [], candidates });
    this.nowMicros += 1_000n;
    return atMicros;
  }

  get databasePath(): string {
    if (this.#folder === null) throw new Error("The database is in memory");
    return join(this.#folder, "messages.sqlite");
  }

  root(): string {
    return new StateTree(this.store.session.connection, this.store.session.dirty).root().root;
  }

  /** The reads of the API by key. */
  get reads(): SyncPointReads {
    return createPointReads(this.store.session.connection);
  }

  /** What the single-message route answers, without what is local to a node. */
  view(itemHash: string): Record<string, unknown> | null {
    const view = this.reads.messageView(itemHash);
    if (view === null) return null;
    const body = JSON.parse(heldText(renderMessageView(view) ?? "{}")) as Record<string, unknown>;
    delete body.reception_time;
    return body;
  }

  status(itemHash: string): string | null {
    return this.reads.statusOf(itemHash)?.status ?? null;
  }

  /** What the lists of the API answer, each as a set: what they order by is local where times are equal. */
  answers(): Record<string, readonly string[]> {
    const reads = createListReads(this.store.session.connection);
    const page = { page: 1, pageSize: 10_000 };
    const desc = { direction: "desc" as const };
    const { messages, posts, aggregates, terminated, addressStats } = reads.lists;
    const items = (list: { readonly items: readonly ItemText[] }): string[] =>
      list.items.map(heldText).sort();
    const whole = { cursor: null, pageSize: 10_000 };
    const byTime = { sortBy: "time" as const, ...desc };
    const byChange = { sortBy: "last_modified" as const, ...desc };
    return {
      messageList: items(messages.page({ filter: {}, ...byTime }, page, UNLIMITED)),
      postList: items(posts.page({ version: 1, ...byTime }, page, UNLIMITED)),
      olderPostList: items(posts.page({ version: 0, ...byTime }, page, UNLIMITED)),
      aggregateList: items(aggregates.page(byChange, page, UNLIMITED)),
      forgottenList: items(terminated.page({ status: "forgotten", filter: {}, ...desc }, page, UNLIMITED)),
      addressList: items(addressStats.page({ sortBy: "total", ...desc }, page, UNLIMITED)),
      channels: items(reads.channels(whole, UNLIMITED)),
      subscriptions: items(reads.programsOnMessage("asc", whole, UNLIMITED)),
    };
  }

  /** The hashes of the live messages that a filter lets through, in the order of the list. */
  messages(filter: MessageFilter): readonly string[] {
    const { messages } = createListReads(this.store.session.connection).lists;
    const query = { filter, sortBy: "time" as const, direction: "asc" as const };
    const { items } = messages.page(query, { page: 1, pageSize: 10_000 }, UNLIMITED);
    return items.map((text) => (JSON.parse(heldText(text)) as { item_hash: string }).item_hash);
  }

  measurements(kind: "core" | "compute", nodeId: string): readonly NodeMetricsRow[] {
    const reads = createListReads(this.store.session.connection);
    const range = { startMicros: 0n, endMicros: 9_000_000_000_000_000n };
    return reads.nodeMetrics({ kind, nodeId, ...range, direction: "asc" }).rows;
  }

  get #isServer(): boolean {
    return this.store.session.connection.dialect.name === "postgres";
  }

  /** The derived tables as texts, by hashes and not by ids. */
  dump(): Record<string, readonly string[]> {
    if (this.#isServer) this.store.session.connection.exec(HEX_ON_POSTGRES);
    return Object.fromEntries(
      Object.entries(VIEWS).map(([name, query]) => [
        name,
        this.store.session.connection.all(query).map((row) => JSON.stringify(Object.values(row))),
      ]),
    );
  }

  /** The owners of the pins of a file, those of messages and those of contents. */
  pinOwners(fileHash: string): readonly string[] {
    const pins = (this.dump().pins ?? []).map((row) => JSON.parse(row) as readonly string[]);
    return pins.flatMap(([, file, , owner]) => (file === fileHash && owner !== undefined ? [owner] : []));
  }

  /** The tables and columns of the database in which a text contains `part`. */
  textsWith(part: string): readonly string[] {
    const { connection } = this.store.session;
    const tables = connection.all<{ name: string }>(
      this.#isServer
        ? "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
        : "SELECT name FROM sqlite_master WHERE type = 'table'",
    );
    return tables.flatMap(({ name }) =>
      connection
        .allBig(`SELECT * FROM "${name}"`)
        .flatMap((row) => Object.entries(row).filter(([, value]) => String(value).includes(part)))
        .map(([column]) => `${name}.${column}`),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.store.close();
    databases.giveBack(this.#location);
    if (this.#folder !== null && this.#isOwnFolder) await rm(this.#folder, { recursive: true, force: true });
  }
}

const verifiedCopies = new WeakMap<NetworkDefinition, Map<string, VerifiedCopy>>();

/** The same text gives the same under the same definition: it comes in thousands of orders. */
function verified(text: string, definition: NetworkDefinition): VerifiedCopy {
  const known = verifiedCopies.get(definition) ?? new Map<string, VerifiedCopy>();
  verifiedCopies.set(definition, known);
  const { switches, limits } = definition;
  const contractChains = contractChainsOf(definition);
  const copy = known.get(text) ?? verifyCopy(text, { crypto, switches, limits, contractChains });
  known.set(text, copy);
  return copy;
}

function inlineContent(envelopeText: string): string {
  return (JSON.parse(envelopeText) as { item_content?: string }).item_content ?? "{}";
}

const HEX_ON_POSTGRES = `CREATE OR REPLACE FUNCTION hex(bytea) RETURNS text
  LANGUAGE sql IMMUTABLE AS $$ SELECT upper(encode($1, 'hex')) $$`;

const VIEWS: Readonly<Record<string, string>> = {
  messages: `SELECT lower(hex(i.hash)) AS a, i.status AS b, s.address AS c, o.address AS d, ch.channel AS e, CAST(m.time_us AS TEXT) AS f, c.envelope AS g FROM messages m JOIN items i ON i.id = m.id JOIN addresses s ON s.id = m.sender_id JOIN addresses o ON o.id = m.owner_id
    LEFT JOIN channels ch ON ch.id = m.channel_id JOIN copies c ON c.id = m.copy_id ORDER BY i.hash`,
  tags: `SELECT lower(hex(i.hash)) AS a, l.label AS b, CAST(t.time_us AS TEXT) AS c FROM message_tags t JOIN items i ON i.id = t.message_id
    JOIN labels l ON l.id = t.tag_id ORDER BY i.hash, l.label`,
  posts: `SELECT lower(hex(i.hash)) AS a, lower(hex(c.hash)) AS b, CAST(p.updated_us AS TEXT) AS c, lower(hex(t.hash)) AS d, ch.channel AS e FROM posts p
    JOIN items i ON i.id = p.id JOIN items c ON c.id = p.current_id JOIN items t ON t.id = p.tags_id
    LEFT JOIN channels ch ON ch.id = p.channel_id ORDER BY i.hash`,
  post_tags: `SELECT lower(hex(i.hash)) AS a, l.label AS b, CAST(t.updated_us AS TEXT) AS c FROM post_tags t JOIN items i ON i.id = t.post_id
    JOIN labels l ON l.id = t.tag_id ORDER BY i.hash, l.label`,
  amends: `SELECT lower(hex(i.hash)) AS a, lower(hex(t.hash)) AS b FROM amends a JOIN items i ON i.id = a.id JOIN items t ON t.id = a.target_id
    ORDER BY i.hash`,
  aggregates: `SELECT o.address AS a, l.label AS b, lower(hex(f.hash)) AS c, lower(hex(e.hash)) AS d FROM aggregates a JOIN addresses o ON o.id = a.owner_id
    JOIN labels l ON l.id = a.key_id JOIN items f ON f.id = a.first_id JOIN items e ON e.id = a.last_id ORDER BY 1, 2`,
  fields: `SELECT o.address AS a, l.label AS b, f.field AS c, lower(hex(i.hash)) AS d, f.value AS e FROM aggregate_fields f
    JOIN addresses o ON o.id = f.owner_id JOIN labels l ON l.id = f.key_id JOIN items i ON i.id = f.item_id ORDER BY 1, 2, 3`,
  file_tags: `SELECT t.tag AS a, o.address AS b, lower(hex(f.hash)) AS c, lower(hex(i.hash)) AS d FROM file_tags t JOIN addresses o ON o.id = t.owner_id
    JOIN files f ON f.id = t.file_id JOIN items i ON i.id = t.item_id ORDER BY 1`,
  vms: `SELECT lower(hex(i.hash)) AS a, lower(hex(o.hash)) AS b, v.allow_amend AS c FROM vms v JOIN items i ON i.id = v.id
    JOIN items o ON o.id = v.original_id ORDER BY i.hash`,
  pins: `SELECT lower(hex(i.hash)) AS a, lower(hex(f.hash)) AS b, p.kind AS c, o.address AS d, p.ref AS e, p.tag AS f, CAST(p.created_us AS TEXT) AS g FROM pins p
    JOIN items i ON i.id = p.item_id JOIN files f ON f.id = p.file_id JOIN addresses o ON o.id = p.owner_id ORDER BY 1, 2, 3`,
  tombstones: `SELECT o.address AS a, l.label AS b, lower(hex(i.hash)) AS c FROM aggregate_tombstones t JOIN addresses o ON o.id = t.owner_id
    JOIN labels l ON l.id = t.key_id JOIN items i ON i.id = t.forget_id ORDER BY 1, 2, 3`,
  delegations: `SELECT d.owner AS a, lower(hex(i.hash)) AS b FROM delegated_uses d JOIN items i ON i.id = d.item_id ORDER BY 1, 2`,
  measurements: `SELECT n.kind AS a, n.node_id AS b, CAST(n.measured_us AS TEXT) AS c, lower(hex(i.hash)) AS d, n.metrics AS e FROM node_metrics n
    JOIN items i ON i.id = n.item_id ORDER BY 1, 2, 3, 4`,
  forgotten: `SELECT lower(hex(i.hash)) AS a, lower(hex(f.parent)) AS b, f.revises AS c FROM forgotten f JOIN items i ON i.id = f.id ORDER BY i.hash`,
  forgets: `SELECT lower(hex(i.hash)) AS a, lower(hex(f.hash)) AS b FROM forgets r JOIN items i ON i.id = r.item_id
    JOIN items f ON f.id = r.forget_id ORDER BY i.hash, f.hash`,
  statuses: `SELECT lower(hex(hash)) AS a, status AS b, lower(hex(leaf)) AS c FROM items ORDER BY hash`,
};

/** The messages of these tests have no long texts. */
function heldText(text: ItemText): string {
  if (typeof text !== "string") throw new Error("a long text was not expected");
  return text;
}
