import { createHash } from "node:crypto";
import {
  encodeItemHash,
  ITEM_TYPES,
  isJsonObject,
  labelOf,
  type MessageType,
  parseJson,
  refOf,
  tagsOf,
} from "@twentysix/protocol";
import { encodeRef } from "../../src/database/ref-bytes.ts";
import {
  COUNTER_CODE,
  type CounterDimension,
  MESSAGE_TYPE_CODE,
  type SqlConnection,
  SqliteConnection,
  STATUS_CODE,
  type Status,
  UNCONFIRMED,
} from "../../src/index.ts";
import { migrate } from "../../src/writer.ts";

/** A message to be stored; everything has a default. */
export interface SeedMessage {
  readonly type?: MessageType;
  readonly sender?: string;
  readonly owner?: string;
  readonly chain?: string;
  readonly channel?: string | null;
  readonly timeMicros?: bigint;
  /** Members of the content beside address and time, as JSON text without braces. */
  readonly members?: string;
  readonly inline?: boolean;
  readonly status?: "processed" | "removing";
  readonly confirmation?: { readonly timeMicros: bigint; readonly height: number; readonly chain?: string };
  readonly itemHash?: string;
}

export interface Seeded {
  readonly id: number;
  readonly itemHash: string;
  readonly content: string;
  readonly envelope: string;
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const DEFAULT_MEMBERS: Readonly<Record<MessageType, string>> = {
  POST: '"type":"note","content":{"body":"hi"}',
  AGGREGATE: '"key":"profile","content":{"nick":"ann"}',
  STORE: `"item_type":"storage","item_hash":"${"ab".repeat(32)}"`,
  PROGRAM: '"type":"vm-function","on":{"http":true}',
  INSTANCE: '"rootfs":{}',
  "V-PROGRAM": '"runtime":{}',
  FORGET: '"hashes":[]',
};

let openEmpty = (path: string): SqlConnection => new SqliteConnection(path, { synchronous: "off" });

/** From now on databases are made by `open`, as those of another engine. */
export function seedOn(open: () => SqlConnection): void {
  openEmpty = open;
}

/** A real database (in memory, unless a file is named), filled by plain SQL as the comments of the schema say. */
export class SeedDatabase {
  readonly connection: SqlConnection;
  readonly #lastIds = new Map<string, number>();
  readonly #names = new Map<string, number>();
  #serial = 0;

  constructor(path = ":memory:") {
    this.connection = openEmpty(path);
    migrate(this.connection);
  }

  address(text: string): number {
    return this.#name("addresses", text, (id) => {
      const insert = "INSERT INTO addresses (id, address, lower) VALUES (?, ?, ?)";
      this.connection.run(insert, id, text, text.toLowerCase());
    });
  }

  channel(text: string): number {
    return this.#name("channels", text, (id) =>
      this.connection.run("INSERT INTO channels (id, channel) VALUES (?, ?)", id, text),
    );
  }

  label(text: string): number {
    return this.#name("labels", text, (id) =>
      this.connection.run("INSERT INTO labels (id, label) VALUES (?, ?)", id, text),
    );
  }

  /** Ids are given out here alone. */
  nextId(table: string): number {
    const id = (this.#lastIds.get(table) ?? 0) + 1;
    this.#lastIds.set(table, id);
    return id;
  }

  item(itemHash: string, status: Status, receptionMicros = 1_700_000_000_000_000n): number {
    const id = this.nextId("items");
    this.connection.run(
      "INSERT INTO items (id, hash, status, reception_us) VALUES (?, ?, ?, ?)",
      id,
      encodeItemHash(itemHash),
      STATUS_CODE[status],
      receptionMicros,
    );
    return id;
  }

  count(dimension: CounterDimension, a: number, b: number, n = 1): void {
    this.connection.run(
      "INSERT INTO counters (dimension, a, b, n) VALUES (?, ?, ?, ?) ON CONFLICT (a, dimension, b) DO UPDATE SET n = counters.n + excluded.n",
      COUNTER_CODE[dimension],
      a,
      b,
      n,
    );
  }

  event(itemId: number, kind: number, atMicros: bigint, cause: string | null = null): void {
    this.connection.run(
      "INSERT INTO events (seq, item_id, kind, at_us, cause) VALUES (?, ?, ?, ?, ?)",
      this.nextId("events"),
      itemId,
      kind,
      atMicros,
      cause,
    );
  }

  transaction<T>(work: () => T): T {
    return this.connection.transaction(work);
  }

  /** Stores one live message with its counters, tags and confirmation. */
  message(seed: SeedMessage = {}): Seeded {
    this.#serial += 1;
    const { type = "POST", sender = "0xA", chain = "ETH", channel = "TEST", status = "processed" } = seed;
    const owner = seed.owner ?? sender;
    const timeMicros = seed.timeMicros ?? 1_700_000_000_000_000n + BigInt(this.#serial) * 1_000_000n;
    const members = seed.members ?? DEFAULT_MEMBERS[type];
    const content = `{"address":${JSON.stringify(owner)},"time":${this.#serial}.5,${members}}`;
    const isInline = seed.inline ?? true;
    const itemHash = seed.itemHash ?? sha256(content);
    const envelope = JSON.stringify({
      sender,
      chain,
      signature: `0x${this.#serial}`,
      type,
      item_type: isInline ? "inline" : "storage",
      ...(isInline ? { item_content: content } : {}),
      item_hash: itemHash,
      time: Number(timeMicros) / 1e6,
      channel,
    });
    const id = this.item(itemHash, status, timeMicros + 5n);
    const copyId = this.nextId("copies");
    this.connection.run(
      "INSERT INTO copies (id, item_id, envelope, content, origin, reception_us) VALUES (?, ?, ?, ?, 0, ?)",
      copyId,
      id,
      envelope,
      isInline ? null : content,
      timeMicros,
    );
    this.#insertMessage(
      { ...seed, type, sender, owner, chain, channel, status },
      { id, copyId, timeMicros, content, isInline, itemHash },
    );
    return { id, itemHash, content, envelope };
  }

  #insertMessage(
    seed: SeedMessage & {
      type: MessageType;
      sender: string;
      owner: string;
      chain: string;
      channel: string | null;
    },
    made: {
      id: number;
      copyId: number;
      timeMicros: bigint;
      content: string;
      isInline: boolean;
      itemHash: string;
    },
  ): void {
    const parsed = parseJson(made.content);
    if (!parsed.ok || !isJsonObject(parsed.value)) throw new Error(`bad seed content ${made.content}`);
    const value = parsed.value;
    const label = labelOf(seed.type, value);
    const ref = refOf(value);
    const payment = isJsonObject(value.payment) ? String(value.payment.type) : null;
    const type = MESSAGE_TYPE_CODE[seed.type];
    const senderId = this.address(seed.sender);
    const ownerId = this.address(seed.owner);
    const chainId = this.label(seed.chain);
    const channelId = seed.channel === null ? null : this.channel(seed.channel);
    const labelId = label === null ? null : this.label(label);
    const bytes = Buffer.byteLength(made.content);
    this.connection.run(
      `INSERT INTO messages (id, copy_id, type, item_type, chain_id, sender_id, owner_id, channel_id, label_id, ref,
        content_hash, payment_id, time_us, content_time_us, size, size_bytes, confirmed_us, confirmed_height)
       VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
      made.id,
      made.copyId,
      type,
      ITEM_TYPES.indexOf(made.isInline ? "inline" : "storage"),
      chainId,
      senderId,
      ownerId,
      channelId,
      labelId,
      ref === null ? null : encodeRef(ref),
      seed.type === "STORE" ? encodeItemHash(String(value.item_hash)) : null,
      payment === null ? null : this.label(payment),
      made.timeMicros,
      made.timeMicros,
      bytes,
      bytes,
      seed.confirmation?.timeMicros ?? UNCONFIRMED,
      seed.confirmation === undefined ? UNCONFIRMED : BigInt(seed.confirmation.height),
    );
    for (const tag of new Set(tagsOf(seed.type, value))) {
      this.connection.run(
        "INSERT INTO message_tags VALUES (?, ?, ?)",
        this.label(tag),
        made.timeMicros,
        made.id,
      );
    }
    if (seed.confirmation !== undefined) this.#confirm(made.itemHash, seed.confirmation);
    this.#countMessage(seed.status ?? "processed", { type, senderId, ownerId, chainId, channelId, labelId });
  }

  #confirm(itemHash: string, confirmation: NonNullable<SeedMessage["confirmation"]>): void {
    this.connection.run(
      "INSERT INTO confirmations VALUES (?, ?, ?, ?, ?, ?)",
      encodeItemHash(itemHash),
      this.label(confirmation.chain ?? "ETH"),
      `0x${itemHash.slice(0, 8)}`,
      confirmation.height,
      confirmation.timeMicros,
      "0xPublisher",
    );
  }

  #countMessage(
    status: Status,
    ids: {
      type: number;
      senderId: number;
      ownerId: number;
      chainId: number;
      channelId: number | null;
      labelId: number | null;
    },
  ): void {
    this.count("total", 0, 0);
    this.count("type", ids.type, 0);
    this.count("status", STATUS_CODE[status], ids.type);
    if (status === "processed") this.count("sender", ids.senderId, ids.type);
    this.count("owner", ids.ownerId, ids.type);
    this.count("chain", ids.chainId, ids.type);
    if (ids.channelId !== null) {
      this.count("channel", ids.channelId, ids.type);
      this.count("senderChannel", ids.senderId, ids.channelId);
    }
    if (ids.labelId !== null) this.count("label", ids.labelId, ids.type);
    if (ids.labelId !== null && ids.type === MESSAGE_TYPE_CODE.POST)
      this.count("senderLabel", ids.senderId, ids.labelId);
  }

  #name(table: string, text: string, insert: (id: number) => void): number {
    const key = `${table} ${text}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const id = this.nextId(table);
    insert(id);
    this.#names.set(key, id);
    return id;
  }
}
