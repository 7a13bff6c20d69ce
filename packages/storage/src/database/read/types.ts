import type { Chain, MessageType } from "@twentysix/protocol";
import type { EventKind, FileType, Origin, Status } from "../codes.ts";
import type { LedgerListReads } from "./ledger/ledger-list-reads.ts";
import type { LedgerPointReads } from "./ledger/ledger-views.ts";
import type { MessageRow } from "./message/message-rows.ts";
import type { MessageView, StatusView } from "./message-view.ts";
import type { NodeMetricsPage, NodeMetricsQuery } from "./node-metrics-views.ts";
import type { ItemText, LongPart } from "./text-types.ts";

/**
 * The contract of the read side. Every `...Json` is finished JSON text, spliced from the stored texts: pass it
 * on as it is, decoding and encoding it again would lose integers above 2^53. Item hashes are in their text
 * form, times are microseconds since the Unix epoch, addresses and labels compare exactly.
 */
export type JsonText = string;

export const PAYMENT_TYPES = ["hold", "superfluid", "credit"] as const;
export type PaymentType = (typeof PAYMENT_TYPES)[number];
export type Direction = "asc" | "desc";
export type ContentFormat = "full" | "headers" | "none";
/** Members that an item of a message list has only when they are asked for. */
export const EXTRA_FIELDS = ["status", "reception_time", "owner", "payment_type", "size_bytes"] as const;
export type ExtraField = (typeof EXTRA_FIELDS)[number];

/**
 * Which messages a list, a websocket history or a websocket wants. Absent: no condition. Values of one list
 * are alternatives, different members must all hold; an empty list matches nothing. The same filter is
 * compiled to SQL and to `matchesFilter`.
 */
export interface MessageFilter {
  /** `msgType` and `msgTypes` combine by AND: give their intersection. */
  readonly types?: readonly MessageType[];
  /** Default: processed and removing. Pending and rejected match nothing here. */
  readonly statuses?: readonly Status[];
  readonly senders?: readonly string[];
  readonly owners?: readonly string[];
  readonly refs?: readonly string[];
  /** `content.item_hash` of a STORE. */
  readonly contentHashes?: readonly string[];
  /** `content.key` of an AGGREGATE. */
  readonly contentKeys?: readonly string[];
  /** `content.type` of anything else. */
  readonly contentTypes?: readonly string[];
  readonly chains?: readonly Chain[];
  readonly channels?: readonly string[];
  /** Any common tag. */
  readonly tags?: readonly string[];
  readonly itemHashes?: readonly string[];
  /** A live message without payment field matches none; a forgotten or removed one counts as hold. */
  readonly paymentTypes?: readonly PaymentType[];
  /** time >= start; of forgotten and removed messages the time of termination. */
  readonly startMicros?: bigint;
  /** time < end. */
  readonly endMicros?: bigint;
  /** First confirmation at this height or above, or no confirmation yet. */
  readonly startBlock?: number;
  /** First confirmation below this height. */
  readonly endBlock?: number;
  readonly confirmed?: boolean;
}

/** What a filter looks at; one message, decoded. */
export interface MessageFacts {
  readonly itemHash: string;
  readonly status: Status;
  readonly type: MessageType;
  readonly chain: Chain;
  readonly sender: string;
  readonly owner: string;
  readonly channel: string | null;
  /** POST and PROGRAM: `content.type`; AGGREGATE: `content.key`. */
  readonly label: string | null;
  readonly ref: string | null;
  readonly contentHash: string | null;
  readonly paymentType: PaymentType | null;
  readonly tags: readonly string[];
  readonly timeMicros: bigint;
  /** Height of the first confirmation. */
  readonly confirmedHeight: number | null;
}

// ---------------------------------------------------------------- point reads

export interface MessageShape {
  /** Default full. */
  readonly contentFormat?: ContentFormat;
  readonly extraFields?: readonly ExtraField[];
}

export interface AggregateEntry {
  readonly key: string;
  /** The merged content, its fields ordered by name. */
  readonly contentJson: JsonText;
  readonly createdMicros: bigint;
  readonly updatedMicros: bigint;
  readonly firstItemHash: string;
  readonly lastItemHash: string;
  /** Changes whenever `contentJson` may have: an element that arrives late leaves `lastItemHash` as it was. */
  readonly version: string;
}

/** An aggregate without its content, which is read in pieces. */
export interface AggregateOutline extends Omit<AggregateEntry, "key" | "contentJson"> {
  /** A JSON string. */
  readonly key: ItemText;
  readonly content: LongPart;
}

export interface AuthorizationFilter {
  /** Only this grantee (granted) or granter (received), compared exactly. */
  readonly other?: string;
  readonly types?: readonly string[];
  readonly channels?: readonly string[];
  readonly chains?: readonly string[];
  readonly postTypes?: readonly string[];
  readonly aggregateKeys?: readonly string[];
}

export interface AuthorizationsOfAddress {
  /** The grantee (granted) or the granter (received). */
  readonly address: string;
  /** Stored authorizations without their `address`, at least one. */
  readonly entriesJson: readonly JsonText[];
}

export interface AuthorizationsQuery {
  /** Given by the address, in the order of its stored list; or given to it, ordered by granter. */
  readonly kind: "granted" | "received";
  readonly address: string;
  readonly filter: AuthorizationFilter;
}

export interface AuthorizationsPage {
  readonly authorizations: readonly AuthorizationsOfAddress[];
  /** Grantees or granters on all pages. */
  readonly total: number;
}

export interface FileView {
  readonly fileHash: string;
  readonly type: FileType;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string | null;
  readonly cid: string | null;
}

export interface FileReferenceView {
  readonly ref: string;
  readonly owner: string;
  readonly fileHash: string;
  readonly sizeBytes: number;
}

export interface EventView {
  readonly seq: number;
  readonly kind: EventKind;
  readonly atMicros: bigint;
  readonly cause: JsonText | null;
}

/** One message that became processed, for live websockets and triggers. */
export interface LiveMessage {
  readonly seq: number;
  readonly origin: Origin;
  readonly facts: MessageFacts;
  /** What is held of it; a long content is not. */
  readonly heldBytes: number;
  /** Single shape with content, made when it is asked for. */
  full(): ItemText;
  /** The same without `content`, for every other content format. */
  withoutContent(): JsonText;
}

/** A part of the outbox as it passes between threads; `liveChunkOf` makes the messages. */
export interface LiveRows {
  readonly rows: readonly {
    readonly seq: number;
    readonly row: MessageRow;
    readonly facts: MessageFacts;
  }[];
  readonly seq: number;
  readonly hasMore: boolean;
}

/** A part of the outbox. */
export interface LiveChunk {
  readonly messages: readonly LiveMessage[];
  /** The event to go on after. */
  readonly seq: number;
  readonly hasMore: boolean;
}

/** Messages by type, of one sender; only processed ones. */
export interface AddressStats {
  readonly address: string;
  readonly messages: number;
  readonly byType: Readonly<Record<MessageType, number>>;
}

export interface NodeTotals {
  readonly liveMessages: number;
  readonly filePins: number;
  /** Messages of which a copy is queued and none is accepted. */
  readonly pendingMessages: number;
  readonly pendingByType: Readonly<Record<MessageType, number>>;
  /** When the next queued copy is or was to be tried; null when none is queued. */
  readonly nextAttemptMicros: bigint | null;
  /** Bytes of files in their grace period. */
  readonly graceBytes: number;
  readonly posts: number;
  readonly aggregates: number;
}

/** A part of the outbox ends after that many messages, or that many bytes. */
export interface LiveLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** Bounded reads by key, on a connection of the calling thread, which they block until they are answered. */
export interface SyncPointReads extends LedgerPointReads {
  statusOf(itemHash: string): StatusView | null;
  messageView(itemHash: string): MessageView | null;
  /** A live message (processed or removing) in the shape of the lists; null for every other status. */
  messageJson(itemHash: string, shape?: MessageShape): ItemText | null;
  factsOf(itemHash: string): MessageFacts | null;
  /** POST: its inner content; others: the whole. `json` is null unless the message is live. */
  contentJson(itemHash: string): { readonly status: Status; readonly json: ItemText | null } | null;
  /** The exact received envelope, and content text when not inline, of a live message. */
  rawMessage(itemHash: string): { readonly envelope: JsonText; readonly content: string | null } | null;
  /** At most 1000 events, oldest first. */
  eventsOf(itemHash: string): readonly EventView[];
  /**
   * Aggregates of an address by key; without keys all of them (at most 1000). Ordered by key. Null when they are
   * too large, or have too many fields, to be read at once: `ListReads.aggregateOutlines` gives those.
   */
  aggregates(address: string, keys: readonly string[] | null): readonly AggregateEntry[] | null;
  /**
   * Identity of these aggregates without their contents: for ETag and caches. Null when they have too many fields
   * to be looked at at once.
   */
  aggregateVersions(
    address: string,
    keys: readonly string[] | null,
  ): readonly Pick<AggregateEntry, "key" | "version" | "lastItemHash">[] | null;
  file(fileHash: string): FileView | null;
  /** All kinds of pins. */
  pinCount(fileHash: string): number;
  fileOfMessage(itemHash: string): FileReferenceView | null;
  /** `address` is needed for a user-defined ref and ignored for an item hash. */
  fileByRef(ref: string, address: string | null): FileReferenceView | null;
  /** Distinct and sorted, of processed or removing messages sent by the address. */
  postTypesOf(address: string): readonly string[];
  channelsOf(address: string): readonly string[];
  /** Addresses without processed messages are left out. */
  statsOf(addresses: readonly string[]): readonly AddressStats[];
  totals(): NodeTotals;
  /** Processed messages after an event number, oldest first; ends after that many, or that many bytes. */
  liveMessages(afterSeq: number, limits: LiveLimits): LiveChunk;
  /** The same as plain data. */
  liveRows(afterSeq: number, limits: LiveLimits): LiveRows;
  lastSeq(): number;
}

/** The same reads for a thread that must not block. They fail with a `ReadError` when nobody can answer for now. */
export type PointReads = Promised<SyncPointReads>;

/** Every method of `Reads` answered by a promise. */
export type Promised<Reads> = {
  readonly [Name in keyof Reads]: Reads[Name] extends (...parameters: infer Parameters) => infer Answer
    ? (...parameters: Parameters) => Promise<Answer>
    : never;
};

// ---------------------------------------------------------------- lists (reader thread, asynchronous)

/** `pageSize` items after skipping `(page - 1) * pageSize`. Without limit: use the streams. */
export interface PageRequest {
  readonly page: number;
  readonly pageSize: number;
}

/** null or "": from the start. */
export interface CursorRequest {
  readonly cursor: string | null;
  readonly pageSize: number;
}

export interface ListPage {
  /** The beginning of the page, or all of it. */
  readonly items: readonly ItemText[];
  readonly total: number;
  /** True when `total` is a lower bound: counting stopped. */
  readonly approximate: boolean;
  /** Where and how long the rest of the page is, when it is too large to be given at once. */
  readonly rest: PageRest | null;
}

export interface PageRest {
  readonly cursor: string;
  readonly items: number;
}

/** `nextCursor` says whether there is more: a page of large items ends before it has as many as were asked for. */
export interface CursorPage {
  readonly items: readonly ItemText[];
  readonly nextCursor: string | null;
}

/** A part of an unlimited list; a chunk is read at one moment, the list as a whole is not. */
export type ItemStream = AsyncIterable<readonly ItemText[]>;

export interface ReadOptions {
  readonly signal?: AbortSignal;
}

/** One list in its three ways of reading. Page and cursor reads fail with READ_TIMEOUT, READ_QUEUE_FULL. */
export interface ListRead<Query, Page extends ListPage = ListPage> {
  page(query: Query, page: PageRequest, options?: ReadOptions): Promise<Page>;
  /** What `page` left as the rest of a page. */
  rest(query: Query, rest: PageRest, options?: ReadOptions): ItemStream;
  /** @throws ReadError CURSOR_INVALID when the cursor is malformed or was made for another request. */
  cursor(query: Query, cursor: CursorRequest, options?: ReadOptions): Promise<CursorPage>;
  stream(query: Query, options?: ReadOptions): ItemStream;
}

export interface MessagesQuery extends MessageShape {
  readonly filter: MessageFilter;
  /** `confirmation`: (first confirmation, time); block filters order like it whatever is asked. */
  readonly sortBy: "time" | "confirmation";
  readonly direction: Direction;
}

/** Forgotten or removed messages; of the filter only what section 3.3 of the API allows is looked at. */
export interface TerminatedQuery {
  readonly status: "forgotten" | "removed";
  readonly filter: Pick<
    MessageFilter,
    | "types"
    | "senders"
    | "owners"
    | "chains"
    | "channels"
    | "itemHashes"
    | "paymentTypes"
    | "startMicros"
    | "endMicros"
  >;
  readonly direction: Direction;
}

export interface HashesQuery {
  /** Absent: processed and removing. */
  readonly statuses?: readonly Status[];
  readonly startMicros?: bigint;
  readonly endMicros?: bigint;
  readonly direction: Direction;
  /** True: items are JSON strings; false: objects with item_hash, status and reception_time. */
  readonly hashOnly: boolean;
}

export interface PostsQuery {
  readonly version: 0 | 1;
  readonly owners?: readonly string[];
  /** Originals or their amends. */
  readonly itemHashes?: readonly string[];
  readonly refs?: readonly string[];
  readonly types?: readonly string[];
  readonly tags?: readonly string[];
  readonly channels?: readonly string[];
  /** On the time of the current version. */
  readonly startMicros?: bigint;
  readonly endMicros?: bigint;
  readonly sortBy: "time" | "confirmation";
  readonly direction: Direction;
}

export interface AggregatesQuery {
  readonly keys?: readonly string[];
  readonly owners?: readonly string[];
  readonly sortBy: "last_modified" | "creation_time";
  readonly direction: Direction;
}

export interface AccountFilesQuery {
  readonly address: string;
  readonly fileHash?: string;
  readonly direction: Direction;
  /** `created` of an item: ISO text in page mode, Unix seconds in cursor mode. */
  readonly createdAs: "iso" | "seconds";
}

export interface AccountFilesPage extends ListPage {
  /** Over the whole address, like `total`. */
  readonly totalSizeBytes: number;
}

export interface AddressStatsQuery {
  /** Case-insensitive part of the address. */
  readonly contains?: string;
  readonly sortBy: "total" | "post" | "aggregate" | "store" | "forget" | "program" | "instance";
  readonly direction: Direction;
}

export interface ListReads extends LedgerListReads {
  readonly messages: ListRead<MessagesQuery>;
  readonly terminated: Omit<ListRead<TerminatedQuery>, "cursor">;
  readonly hashes: ListRead<HashesQuery>;
  readonly posts: ListRead<PostsQuery>;
  readonly aggregates: ListRead<AggregatesQuery>;
  readonly accountFiles: ListRead<AccountFilesQuery, AccountFilesPage>;
  /** Items are members of an object in sort order: `"0xA":{"messages":3,...}`. */
  readonly addressStats: ListRead<AddressStatsQuery>;
  accountFilesSize(address: string, options?: ReadOptions): Promise<number>;
  /** A long text piece by piece: held parts as they are, the others as bytes in which characters may be cut. */
  pieces(text: ItemText, options?: ReadOptions): AsyncIterable<JsonText | Uint8Array>;
  /** The aggregates that `PointReads.aggregates` finds too large. */
  aggregateOutlines(
    address: string,
    keys: readonly string[] | null,
    options?: ReadOptions,
  ): Promise<readonly AggregateOutline[]>;
  /** @throws ReadError ANSWER_TOO_LARGE when the entries of a page are too large to be held. */
  authorizations(
    query: AuthorizationsQuery,
    page: PageRequest,
    options?: ReadOptions,
  ): Promise<AuthorizationsPage>;
  /** All channels of live messages as JSON strings, sorted. */
  channels(options?: ReadOptions): ItemStream;
  /** PROGRAMs with message subscriptions that are current: `{"item_hash","content":{"on":{"message":[...]}}}`. */
  programsOnMessage(direction: Direction, options?: ReadOptions): ItemStream;
  nodeMetrics(query: NodeMetricsQuery, options?: ReadOptions): Promise<NodeMetricsPage>;
}
