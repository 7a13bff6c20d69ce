/**
 * The tables as the query builder sees them; columns and meanings are in migrations/0001-initial.ts.
 *
 * Integers are `Int`: ids and counts fit a number, times in microseconds need a bigint.
 */
export type Int = number | bigint;

export interface AddressesTable {
  readonly id: Int;
  readonly address: string;
  readonly lower: string;
}

export interface ChannelsTable {
  readonly id: Int;
  readonly channel: string;
}

export interface LabelsTable {
  readonly id: Int;
  readonly label: string;
}

export interface ItemsTable {
  readonly id: Int;
  readonly hash: Uint8Array;
  readonly status: Int;
  readonly reception_us: Int;
  readonly leaf: Uint8Array | null;
}

export interface CopiesTable {
  readonly id: Int;
  readonly item_id: Int;
  readonly envelope: string;
  readonly content: string | null;
  readonly origin: Int;
  readonly reception_us: Int;
}

export interface MessagesTable {
  readonly id: Int;
  readonly copy_id: Int;
  readonly type: Int;
  readonly item_type: Int;
  readonly chain_id: Int;
  readonly sender_id: Int;
  readonly owner_id: Int;
  readonly channel_id: Int | null;
  readonly label_id: Int | null;
  readonly ref: Uint8Array | null;
  readonly content_hash: Uint8Array | null;
  readonly payment_id: Int | null;
  readonly time_us: Int;
  readonly content_time_us: Int;
  readonly size: Int;
  readonly size_bytes: Int;
  readonly confirmed_us: Int;
  readonly confirmed_height: Int;
}

export interface MessageTagsTable {
  readonly tag_id: Int;
  readonly time_us: Int;
  readonly message_id: Int;
}

export interface ForgottenTable {
  readonly id: Int;
  readonly type: Int;
  readonly chain_id: Int;
  readonly sender_id: Int;
  readonly owner_id: Int;
  readonly channel_id: Int | null;
  readonly label_id: Int | null;
  readonly item_type: Int;
  readonly payment_id: Int;
  readonly signature: string | null;
  readonly time_us: Int;
  readonly content_time_us: Int;
  readonly size: Int;
  readonly parent: Uint8Array | null;
  readonly revises: Int;
  readonly forgotten_us: Int | null;
  readonly content_hash: Uint8Array | null;
}

export interface AggregateTombstonesTable {
  readonly owner_id: Int;
  readonly key_id: Int;
  readonly forget_id: Int;
  readonly time_us: Int;
}

export interface RemovedTable {
  readonly id: Int;
  readonly type: Int | null;
  readonly chain_id: Int | null;
  readonly sender_id: Int | null;
  readonly owner_id: Int | null;
  readonly channel_id: Int | null;
  readonly item_type: Int | null;
  readonly payment_id: Int | null;
  readonly signature: string | null;
  readonly time_us: Int | null;
  readonly size: Int | null;
  readonly removed_us: Int | null;
}

export interface PostsTable {
  readonly id: Int;
  readonly owner_id: Int;
  readonly type_id: Int;
  readonly channel_id: Int | null;
  readonly ref: Uint8Array | null;
  readonly created_us: Int;
  readonly current_id: Int;
  readonly updated_us: Int;
  readonly tags_id: Int;
}

export interface PostTagsTable {
  readonly tag_id: Int;
  readonly updated_us: Int;
  readonly post_id: Int;
}

export interface AggregatesTable {
  readonly owner_id: Int;
  readonly key_id: Int;
  readonly created_us: Int;
  readonly updated_us: Int;
  readonly first_id: Int;
  readonly last_id: Int;
}

export interface FilesTable {
  readonly id: Int;
  readonly hash: Uint8Array;
  readonly size: Int;
  readonly type: Int;
  readonly sha256: Uint8Array | null;
  readonly cid: Uint8Array | null;
}

export interface PinsTable {
  readonly id: Int;
  readonly file_id: Int;
  readonly kind: Int;
  readonly item_id: Int | null;
  readonly owner_id: Int | null;
  readonly ref: string | null;
  readonly tag: string | null;
  readonly tx_hash: string | null;
  readonly created_us: Int;
  readonly delete_by_us: Int | null;
}

export interface CountersTable {
  readonly dimension: Int;
  readonly a: Int;
  readonly b: Int;
  readonly n: Int;
}

/** Tables that lists are built on. */
export interface Schema {
  readonly addresses: AddressesTable;
  readonly channels: ChannelsTable;
  readonly labels: LabelsTable;
  readonly items: ItemsTable;
  readonly copies: CopiesTable;
  readonly messages: MessagesTable;
  readonly message_tags: MessageTagsTable;
  readonly forgotten: ForgottenTable;
  readonly aggregate_tombstones: AggregateTombstonesTable;
  readonly removed: RemovedTable;
  readonly posts: PostsTable;
  readonly post_tags: PostTagsTable;
  readonly aggregates: AggregatesTable;
  readonly files: FilesTable;
  readonly pins: PinsTable;
  readonly counters: CountersTable;
}
