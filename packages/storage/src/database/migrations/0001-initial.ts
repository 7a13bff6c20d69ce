import { INITIAL_POSTGRES } from "./0001-initial-postgres.ts";
import type { Migration } from "./migration.ts";

/**
 * Integer keys everywhere: an item (whatever its status) owns one small integer, addresses, channels and
 * labels are interned. Envelope texts live in `copies`; everything else is derived from them.
 */
const sqlite = `
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

-- Dictionaries.
CREATE TABLE addresses (id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, lower TEXT NOT NULL);
CREATE INDEX addresses_lower ON addresses (lower);
CREATE TABLE channels (id INTEGER PRIMARY KEY, channel TEXT NOT NULL UNIQUE);
-- Post types, aggregate keys, tags, chains, payment types.
CREATE TABLE labels (id INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE);

-- Every item hash this node has an opinion on. status: 0 pending, 1 processed, 2 rejected, 3 forgotten,
-- 4 removing, 5 removed. leaf: digest in the state tree, null while pending or rejected.
CREATE TABLE items (
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  status INTEGER NOT NULL,
  reception_us INTEGER NOT NULL,
  leaf BLOB
);
CREATE INDEX items_reception ON items (reception_us);

-- Exact texts of the valid copies of accepted messages. content: text of a content that is not inline.
CREATE TABLE copies (
  id INTEGER PRIMARY KEY,
  item_id INTEGER NOT NULL,
  envelope TEXT NOT NULL,
  content TEXT,
  origin INTEGER NOT NULL,
  reception_us INTEGER NOT NULL
);
CREATE INDEX copies_item ON copies (item_id);

-- Live messages (processed or removing); id = items.id. type: position in MESSAGE_TYPES, item_type in ITEM_TYPES.
-- confirmed_us/confirmed_height: first confirmation, 9223372036854775807 while there is none.
CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  copy_id INTEGER NOT NULL,
  type INTEGER NOT NULL,
  item_type INTEGER NOT NULL,
  chain_id INTEGER NOT NULL,
  sender_id INTEGER NOT NULL,
  owner_id INTEGER NOT NULL,
  channel_id INTEGER,
  label_id INTEGER,
  ref BLOB,
  content_hash BLOB,
  payment_id INTEGER,
  time_us INTEGER NOT NULL,
  content_time_us INTEGER NOT NULL,
  size INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  confirmed_us INTEGER NOT NULL DEFAULT 9223372036854775807,
  confirmed_height INTEGER NOT NULL DEFAULT 9223372036854775807
);
CREATE INDEX messages_time ON messages (time_us);
CREATE INDEX messages_type ON messages (type, time_us);
CREATE INDEX messages_sender ON messages (sender_id, time_us);
CREATE INDEX messages_sender_type ON messages (sender_id, type, time_us);
CREATE INDEX messages_owner ON messages (owner_id, time_us);
CREATE INDEX messages_channel ON messages (channel_id, time_us) WHERE channel_id IS NOT NULL;
CREATE INDEX messages_label ON messages (label_id, time_us) WHERE label_id IS NOT NULL;
CREATE INDEX messages_ref ON messages (ref, time_us) WHERE ref IS NOT NULL;
CREATE INDEX messages_content_hash ON messages (content_hash, time_us) WHERE content_hash IS NOT NULL;
CREATE INDEX messages_confirmed ON messages (confirmed_us, time_us) WHERE confirmed_us <> 9223372036854775807;
CREATE TABLE message_tags (
  tag_id INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  PRIMARY KEY (tag_id, time_us, message_id)
) WITHOUT ROWID;
CREATE INDEX message_tags_message ON message_tags (message_id);

-- Well-formed, correctly signed copies that are not applied: queued, waiting, or given up (next_attempt_us null).
CREATE TABLE candidates (
  id INTEGER PRIMARY KEY,
  item_id INTEGER NOT NULL,
  identity BLOB NOT NULL UNIQUE,
  envelope TEXT NOT NULL,
  content TEXT,
  sender_id INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  reception_us INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt_us INTEGER,
  code INTEGER,
  details TEXT
);
CREATE INDEX candidates_item ON candidates (item_id);
CREATE INDEX candidates_next ON candidates (next_attempt_us) WHERE next_attempt_us IS NOT NULL;
-- What a candidate waits for: 'item:<hash>', 'file:<hash>', 'security:<lower-cased owner>'.
CREATE TABLE waits (
  key TEXT NOT NULL,
  candidate_id INTEGER NOT NULL,
  PRIMARY KEY (key, candidate_id)
) WITHOUT ROWID;
CREATE INDEX waits_candidate ON waits (candidate_id);

-- Copies that can never be valid: malformed or wrongly signed. They never shadow a valid one.
CREATE TABLE refusals (
  id INTEGER PRIMARY KEY,
  item_id INTEGER NOT NULL,
  identity BLOB NOT NULL,
  raw TEXT NOT NULL,
  code INTEGER NOT NULL,
  details TEXT,
  at_us INTEGER NOT NULL,
  UNIQUE (item_id, identity)
);

-- Event log of every item and outbox of the node in one: seq only grows.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  item_id INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  cause TEXT
);
CREATE INDEX events_item ON events (item_id);

-- Forgotten messages. parent: encoded hash of the post or VM whose forgetting takes this one along.
CREATE TABLE forgotten (
  id INTEGER PRIMARY KEY,
  type INTEGER NOT NULL,
  chain_id INTEGER NOT NULL,
  sender_id INTEGER NOT NULL,
  owner_id INTEGER NOT NULL,
  channel_id INTEGER,
  label_id INTEGER,
  item_type INTEGER NOT NULL,
  payment_id INTEGER NOT NULL,
  signature TEXT,
  time_us INTEGER NOT NULL,
  content_time_us INTEGER NOT NULL,
  size INTEGER NOT NULL,
  parent BLOB,
  revises INTEGER NOT NULL DEFAULT 0,
  forgotten_us INTEGER
);
CREATE INDEX forgotten_time ON forgotten (forgotten_us);
CREATE INDEX forgotten_parent ON forgotten (parent) WHERE parent IS NOT NULL;
CREATE TABLE forgets (
  item_id INTEGER NOT NULL,
  forget_id INTEGER NOT NULL,
  PRIMARY KEY (item_id, forget_id)
) WITHOUT ROWID;
CREATE INDEX forgets_forget ON forgets (forget_id);
CREATE TABLE removed (
  id INTEGER PRIMARY KEY,
  type INTEGER, chain_id INTEGER, sender_id INTEGER, owner_id INTEGER, channel_id INTEGER, item_type INTEGER,
  payment_id INTEGER, signature TEXT, time_us INTEGER, size INTEGER, removed_us INTEGER
);

-- Derived: posts and their amends. current_id: the version shown; updated_us: its content time;
-- tags_id: the newest version that has tags (the original when none has).
CREATE TABLE posts (
  id INTEGER PRIMARY KEY,
  owner_id INTEGER NOT NULL,
  type_id INTEGER NOT NULL,
  channel_id INTEGER,
  ref BLOB,
  created_us INTEGER NOT NULL,
  current_id INTEGER NOT NULL,
  updated_us INTEGER NOT NULL,
  tags_id INTEGER NOT NULL
);
CREATE INDEX posts_updated ON posts (updated_us);
CREATE INDEX posts_owner ON posts (owner_id, updated_us);
CREATE INDEX posts_type ON posts (type_id, updated_us);
CREATE INDEX posts_channel ON posts (channel_id, updated_us) WHERE channel_id IS NOT NULL;
CREATE INDEX posts_ref ON posts (ref, updated_us) WHERE ref IS NOT NULL;
CREATE TABLE post_tags (
  tag_id INTEGER NOT NULL,
  updated_us INTEGER NOT NULL,
  post_id INTEGER NOT NULL,
  PRIMARY KEY (tag_id, updated_us, post_id)
) WITHOUT ROWID;
CREATE INDEX post_tags_post ON post_tags (post_id);
CREATE TABLE amends (
  id INTEGER PRIMARY KEY,
  target_id INTEGER NOT NULL,
  time_us INTEGER NOT NULL
);
CREATE INDEX amends_target ON amends (target_id, time_us);

-- Derived: aggregates. One row a top-level key of the merged content, holding the winning element.
CREATE TABLE aggregates (
  owner_id INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  created_us INTEGER NOT NULL,
  updated_us INTEGER NOT NULL,
  first_id INTEGER NOT NULL,
  last_id INTEGER NOT NULL,
  PRIMARY KEY (owner_id, key_id)
) WITHOUT ROWID;
CREATE INDEX aggregates_updated ON aggregates (updated_us);
CREATE INDEX aggregates_created ON aggregates (created_us);
CREATE INDEX aggregates_key ON aggregates (key_id, updated_us);
CREATE TABLE aggregate_elements (
  id INTEGER PRIMARY KEY,
  owner_id INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  time_us INTEGER NOT NULL
);
CREATE INDEX aggregate_elements_key ON aggregate_elements (owner_id, key_id, time_us);
CREATE TABLE aggregate_fields (
  owner_id INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  field TEXT NOT NULL,
  time_us INTEGER NOT NULL,
  item_id INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (owner_id, key_id, field)
) WITHOUT ROWID;

-- Files: hash is the name by which messages call it; sha256 and cid are its two fixed names.
CREATE TABLE files (
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  size INTEGER NOT NULL,
  type INTEGER NOT NULL,
  sha256 BLOB,
  cid BLOB
);
-- kind: 0 content, 1 message, 2 tx, 3 grace_period.
CREATE TABLE pins (
  id INTEGER PRIMARY KEY,
  file_id INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  item_id INTEGER,
  owner_id INTEGER,
  ref TEXT,
  tag TEXT,
  tx_hash TEXT,
  created_us INTEGER NOT NULL,
  delete_by_us INTEGER
);
CREATE UNIQUE INDEX pins_item ON pins (item_id, kind, file_id) WHERE item_id IS NOT NULL;
CREATE INDEX pins_file ON pins (file_id);
CREATE INDEX pins_owner ON pins (owner_id, created_us) WHERE kind = 1;
CREATE INDEX pins_tag ON pins (tag, created_us) WHERE tag IS NOT NULL;
CREATE INDEX pins_delete_by ON pins (delete_by_us) WHERE delete_by_us IS NOT NULL;
-- Derived: named, versioned pointers to files.
CREATE TABLE file_tags (
  tag TEXT PRIMARY KEY,
  owner_id INTEGER NOT NULL,
  file_id INTEGER NOT NULL,
  item_id INTEGER NOT NULL,
  updated_us INTEGER NOT NULL
) WITHOUT ROWID;

-- Derived: virtual machines. original_id: the deployment this is a version of (itself when it replaces nothing).
CREATE TABLE vms (
  id INTEGER PRIMARY KEY,
  type INTEGER NOT NULL,
  owner_id INTEGER NOT NULL,
  original_id INTEGER NOT NULL,
  allow_amend INTEGER NOT NULL,
  created_us INTEGER NOT NULL,
  triggers TEXT
);
CREATE INDEX vms_original ON vms (original_id, created_us);
CREATE INDEX vms_triggers ON vms (id) WHERE triggers IS NOT NULL;
CREATE TABLE vm_refs (
  ref BLOB NOT NULL,
  vm_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  PRIMARY KEY (ref, vm_id, kind)
) WITHOUT ROWID;
CREATE INDEX vm_refs_vm ON vm_refs (vm_id);

-- Which live messages rely on the security aggregate of an owner (lower-cased), to judge them again when it changes.
CREATE TABLE delegated_uses (
  owner TEXT NOT NULL,
  item_id INTEGER NOT NULL,
  PRIMARY KEY (owner, item_id)
) WITHOUT ROWID;
CREATE INDEX delegated_uses_item ON delegated_uses (item_id);

-- Confirmations are recorded by hash, whatever the status of the message.
CREATE TABLE confirmations (
  hash BLOB NOT NULL,
  chain_id INTEGER NOT NULL,
  tx_hash TEXT NOT NULL,
  height INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  publisher TEXT NOT NULL,
  PRIMARY KEY (hash, chain_id, tx_hash)
) WITHOUT ROWID;

-- Counters merged per batch; dimensions in counter-dimensions.ts.
CREATE TABLE counters (
  dimension INTEGER NOT NULL,
  a INTEGER NOT NULL,
  b INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (dimension, a, b)
) WITHOUT ROWID;

-- State trees. tree: 0 messages (leaves are items.leaf), 1 derived (leaves below). position: depth, then nibbles.
CREATE TABLE merkle_nodes (
  tree INTEGER NOT NULL,
  position BLOB NOT NULL,
  n INTEGER NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (tree, position)
) WITHOUT ROWID;
CREATE TABLE derived_leaves (key BLOB PRIMARY KEY, digest BLOB NOT NULL) WITHOUT ROWID;
-- Derived entities whose leaf is out of date. kind: 0 post, 1 aggregate, 2 file tag, 3 VM.
CREATE TABLE derived_dirty (
  kind INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;

-- Node scores out of aleph-network-metrics posts.
CREATE TABLE node_metrics (
  kind INTEGER NOT NULL,
  node_id TEXT NOT NULL,
  measured_us INTEGER NOT NULL,
  item_id INTEGER NOT NULL,
  metrics TEXT NOT NULL,
  PRIMARY KEY (kind, node_id, measured_us, item_id)
) WITHOUT ROWID;
CREATE INDEX node_metrics_item ON node_metrics (item_id);
`;

export const initial: Migration = { number: 1, name: "initial", sql: { sqlite, postgres: INITIAL_POSTGRES } };
