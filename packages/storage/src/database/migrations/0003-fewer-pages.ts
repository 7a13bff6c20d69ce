import type { Migration } from "./migration.ts";

/**
 * Fewer pages written a message, and leaves that are read in one run: docs/decisions/0007-write-path.md.
 *
 * Items stand in the order of their hashes with their leaves, so a range of the tree is neighbouring rows. All
 * counters of one address stand together. Entities whose leaf is out of date are appended, not looked up. One
 * index serves a sender with and without the type; a rare chain has one of its own.
 */
const sqlite = `
CREATE TABLE items_by_hash (
  hash BLOB PRIMARY KEY,
  id INTEGER NOT NULL,
  status INTEGER NOT NULL,
  reception_us INTEGER NOT NULL,
  leaf BLOB
) WITHOUT ROWID;
INSERT INTO items_by_hash (hash, id, status, reception_us, leaf)
  SELECT hash, id, status, reception_us, leaf FROM items ORDER BY hash;
DROP TABLE items;
ALTER TABLE items_by_hash RENAME TO items;
CREATE UNIQUE INDEX items_id ON items (id);
CREATE INDEX items_reception ON items (reception_us);

CREATE TABLE counters_by_subject (
  a INTEGER NOT NULL,
  dimension INTEGER NOT NULL,
  b INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (a, dimension, b)
) WITHOUT ROWID;
INSERT INTO counters_by_subject (a, dimension, b, n)
  SELECT a, dimension, b, n FROM counters ORDER BY a, dimension, b;
DROP TABLE counters;
ALTER TABLE counters_by_subject RENAME TO counters;

ALTER TABLE derived_dirty RENAME TO derived_dirty_by_name;
CREATE TABLE derived_dirty (
  id INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  name TEXT NOT NULL
);
INSERT INTO derived_dirty (kind, name) SELECT kind, name FROM derived_dirty_by_name;
DROP TABLE derived_dirty_by_name;

DROP INDEX messages_sender;
CREATE INDEX messages_chain ON messages (chain_id, time_us);

CREATE INDEX pins_grace ON pins (file_id) WHERE kind = 3;
`;

export const fewerPages: Migration = { number: 3, name: "fewer pages", sql: { sqlite, postgres: null } };
