/** One table as it is compared: both sides have the same ids, see `seedForReplay`. */
export interface DerivedTable {
  readonly name: string;
  /** Columns that name a row; the order of comparison. */
  readonly key: readonly string[];
  readonly columns: readonly string[];
  /** What to select from when it is not the table alone. */
  readonly source?: string;
  /** A column that holds the id of an item, told by its hash in a report. */
  readonly item?: string;
}

/** A served copy and its message: copy ids differ, so copies are named by their texts. */
const COPIES =
  "(SELECT c.item_id, c.envelope, c.content, c.id = m.copy_id AS served FROM copies c JOIN messages m ON m.id = c.item_id)";

/** Of what was removed: everything but its moment. */
const REMOVED =
  "(SELECT id, type, sender_id, owner_id, size, copy_id IS NULL AS bare, content_hash, content_time_us FROM removed)";

/** Pins by messages; those for a time of grace depend on when that began. */
const PINS =
  "(SELECT item_id, kind, file_id, owner_id, ref, tag, created_us FROM pins WHERE item_id IS NOT NULL)";

/** Counters of live and forgotten messages and of what they derive; the others are counted in `countersOf`. */
const COUNTERS =
  "(SELECT dimension, a, b, n FROM counters WHERE n <> 0 AND (dimension IN (0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 17) OR (dimension = 1 AND a IN (1, 3))))";

/** Everything that follows from messages. */
export const DERIVED_TABLES: readonly DerivedTable[] = [
  {
    name: "items",
    source: "(SELECT id, hash, status, leaf FROM items WHERE status IN (1, 3, 4, 5))",
    key: ["id"],
    columns: ["hash", "status", "leaf"],
    item: "id",
  },
  {
    name: "messages",
    key: ["id"],
    columns: [
      ...[
        "type",
        "item_type",
        "chain_id",
        "sender_id",
        "owner_id",
        "channel_id",
        "label_id",
        "ref",
        "content_hash",
      ],
      ...[
        "payment_id",
        "time_us",
        "content_time_us",
        "size",
        "size_bytes",
        "confirmed_us",
        "confirmed_height",
      ],
    ],
    item: "id",
  },
  {
    name: "copies",
    source: COPIES,
    key: ["item_id", "envelope"],
    columns: ["content", "served"],
    item: "item_id",
  },
  {
    name: "removed",
    source: REMOVED,
    key: ["id"],
    columns: ["type", "sender_id", "owner_id", "size", "bare", "content_hash", "content_time_us"],
    item: "id",
  },
  { name: "message_tags", key: ["tag_id", "time_us", "message_id"], columns: [], item: "message_id" },
  { name: "forgets", key: ["item_id", "forget_id"], columns: [], item: "item_id" },
  {
    name: "aggregate_tombstones",
    key: ["owner_id", "key_id", "forget_id"],
    columns: ["time_us"],
    item: "forget_id",
  },
  {
    name: "posts",
    key: ["id"],
    columns: [
      "owner_id",
      "type_id",
      "channel_id",
      "ref",
      "created_us",
      "current_id",
      "updated_us",
      "tags_id",
    ],
    item: "id",
  },
  { name: "post_tags", key: ["tag_id", "updated_us", "post_id"], columns: [], item: "post_id" },
  { name: "amends", key: ["id"], columns: ["target_id", "time_us"], item: "id" },
  {
    name: "aggregates",
    key: ["owner_id", "key_id"],
    columns: ["created_us", "updated_us", "first_id", "last_id"],
  },
  { name: "aggregate_elements", key: ["id"], columns: ["owner_id", "key_id", "time_us"], item: "id" },
  {
    name: "aggregate_fields",
    key: ["owner_id", "key_id", "field"],
    columns: ["time_us", "item_id", "value"],
    item: "item_id",
  },
  {
    name: "pins",
    source: PINS,
    key: ["item_id", "kind", "file_id"],
    columns: ["owner_id", "ref", "tag", "created_us"],
    item: "item_id",
  },
  {
    name: "file_tags",
    key: ["tag"],
    columns: ["owner_id", "file_hash", "item_id", "updated_us"],
    item: "item_id",
  },
  {
    name: "vms",
    key: ["id"],
    columns: ["type", "owner_id", "original_id", "allow_amend", "created_us", "triggers"],
    item: "id",
  },
  { name: "vm_refs", key: ["ref", "vm_id", "kind"], columns: [], item: "vm_id" },
  { name: "delegated_uses", key: ["owner", "item_id"], columns: [], item: "item_id" },
  {
    name: "node_metrics",
    key: ["kind", "node_id", "measured_us", "item_id"],
    columns: ["metrics"],
    item: "item_id",
  },
  { name: "counters", source: COUNTERS, key: ["dimension", "a", "b"], columns: ["n"] },
  { name: "derived_leaves", key: ["key"], columns: ["digest"] },
  { name: "merkle_nodes", key: ["tree", "position"], columns: ["n", "digest"] },
];
