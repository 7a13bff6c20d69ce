import { encodeItemHash } from "@twentysix/protocol";
import { encodeRef } from "../../src/database/ref-bytes.ts";
import {
  FILE_TYPE_CODE,
  type FileType,
  ITEM_TYPE_CODE,
  MESSAGE_TYPE_CODE,
  PIN_CODE,
  type PinKind,
  STATUS_CODE,
} from "../../src/index.ts";
import type { SeedDatabase, Seeded } from "./seed.ts";

/** Rows that the writer derives from messages, inserted as the comments of the schema say. */

export interface SeedPost {
  readonly original: Seeded;
  readonly owner?: string;
  readonly type?: string;
  readonly channel?: string | null;
  readonly ref?: string;
  readonly createdMicros: bigint;
  readonly current?: Seeded;
  readonly updatedMicros?: bigint;
  readonly tags?: readonly string[];
}

export function seedPost(seed: SeedDatabase, post: SeedPost): void {
  const { original, owner = "0xA", type = "note", channel = "TEST", current = original } = post;
  const updated = post.updatedMicros ?? post.createdMicros;
  seed.connection.run(
    `INSERT INTO posts (id, owner_id, type_id, channel_id, ref, created_us, current_id, updated_us, tags_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    original.id,
    seed.address(owner),
    seed.label(type),
    channel === null ? null : seed.channel(channel),
    post.ref === undefined ? null : encodeRef(post.ref),
    post.createdMicros,
    current.id,
    updated,
    current.id,
  );
  for (const tag of post.tags ?? []) {
    seed.connection.run("INSERT INTO post_tags VALUES (?, ?, ?)", seed.label(tag), updated, original.id);
  }
  if (current !== original) {
    seed.connection.run(
      "INSERT INTO amends (id, target_id, time_us) VALUES (?, ?, ?)",
      current.id,
      original.id,
      updated,
    );
  }
  seed.count("posts", 0, 0);
  seed.count("postType", seed.label(type), 0);
  seed.count("postOwner", seed.address(owner), 0);
}

export interface SeedAggregate {
  readonly owner: string;
  readonly key: string;
  readonly createdMicros?: bigint;
  readonly updatedMicros: bigint;
  readonly first: Seeded;
  readonly last: Seeded;
  /** Raw JSON text of each field. */
  readonly fields: Readonly<Record<string, string>>;
}

export function seedAggregate(seed: SeedDatabase, aggregate: SeedAggregate): void {
  const ownerId = seed.address(aggregate.owner);
  const keyId = seed.label(aggregate.key);
  seed.connection.run(
    "INSERT INTO aggregates (owner_id, key_id, created_us, updated_us, first_id, last_id) VALUES (?, ?, ?, ?, ?, ?)",
    ownerId,
    keyId,
    aggregate.createdMicros ?? aggregate.updatedMicros,
    aggregate.updatedMicros,
    aggregate.first.id,
    aggregate.last.id,
  );
  for (const [field, value] of Object.entries(aggregate.fields)) {
    seed.connection.run(
      "INSERT INTO aggregate_fields (owner_id, key_id, field, time_us, item_id, value) VALUES (?, ?, ?, ?, ?, ?)",
      ownerId,
      keyId,
      field,
      aggregate.updatedMicros,
      aggregate.last.id,
      value,
    );
  }
  seed.count("aggregates", 0, 0);
}

export interface SeedFile {
  readonly fileHash: string;
  readonly sizeBytes: number;
  readonly type?: FileType;
}

export function seedFile(seed: SeedDatabase, { fileHash, sizeBytes, type = "file" }: SeedFile): number {
  const id = seed.nextId("files");
  seed.connection.run(
    "INSERT INTO files (id, hash, size, type, sha256) VALUES (?, ?, ?, ?, ?)",
    id,
    encodeItemHash(fileHash),
    sizeBytes,
    FILE_TYPE_CODE[type],
    type === "file" ? encodeItemHash(fileHash) : null,
  );
  return id;
}

export interface SeedPin {
  readonly fileId: number;
  readonly kind: PinKind;
  readonly message?: Seeded;
  readonly owner?: string;
  readonly ref?: string;
  readonly tag?: string;
  readonly createdMicros: bigint;
  readonly sizeBytes?: number;
}

export function seedPin(seed: SeedDatabase, pin: SeedPin): void {
  const ownerId = pin.owner === undefined ? null : seed.address(pin.owner);
  seed.connection.run(
    "INSERT INTO pins (file_id, kind, item_id, owner_id, ref, tag, created_us) VALUES (?, ?, ?, ?, ?, ?, ?)",
    pin.fileId,
    PIN_CODE[pin.kind],
    pin.message?.id ?? null,
    ownerId,
    pin.ref ?? null,
    pin.tag ?? null,
    pin.createdMicros,
  );
  seed.count("pins", PIN_CODE[pin.kind], 0);
  if (pin.kind !== "message" || ownerId === null) return;
  seed.count("ownerFiles", ownerId, 0);
  seed.count("ownerFileBytes", ownerId, 0, pin.sizeBytes ?? 0);
}

export function seedFileTag(
  seed: SeedDatabase,
  tag: string,
  owner: string,
  fileId: number,
  message: Seeded,
): void {
  seed.connection.run(
    `INSERT INTO file_tags (tag, owner_id, file_id, file_hash, item_id, updated_us)
     VALUES (?, ?, ?, (SELECT hash FROM files WHERE id = ?), ?, ?)`,
    tag,
    seed.address(owner),
    fileId,
    fileId,
    message.id,
    1n,
  );
}

export interface SeedForgotten {
  readonly itemHash: string;
  readonly owner?: string;
  readonly payment?: "hold" | "credit";
  readonly forgottenMicros: bigint | null;
  readonly parent?: string;
  readonly forgottenBy?: readonly Seeded[];
  readonly timeMicros?: bigint;
}

/** A forgotten POST; returns the id of the item. */
export function seedForgotten(seed: SeedDatabase, forgotten: SeedForgotten): number {
  const id = seed.item(forgotten.itemHash, "forgotten");
  const type = MESSAGE_TYPE_CODE.POST;
  seed.connection.run(
    `INSERT INTO forgotten (id, type, chain_id, sender_id, owner_id, channel_id, item_type, payment_id, signature,
       time_us, content_time_us, size, parent, revises, forgotten_us)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
    id,
    type,
    seed.label("ETH"),
    seed.address("0xA"),
    seed.address(forgotten.owner ?? "0xA"),
    seed.channel("TEST"),
    ITEM_TYPE_CODE.inline,
    seed.label(forgotten.payment ?? "hold"),
    "0x1",
    forgotten.timeMicros ?? 1_652_786_100_000_000n,
    1n,
    4_194_304,
    forgotten.parent === undefined ? null : encodeItemHash(forgotten.parent),
    forgotten.forgottenMicros,
  );
  for (const forget of forgotten.forgottenBy ?? []) {
    seed.connection.run("INSERT INTO forgets (item_id, forget_id) VALUES (?, ?)", id, forget.id);
  }
  seed.count("status", STATUS_CODE.forgotten, type);
  return id;
}
