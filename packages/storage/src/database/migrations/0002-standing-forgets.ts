import type { Migration } from "./migration.ts";

/** FORGETs that name an aggregate stand for elements yet to come; a forgotten STORE keeps the name of its file. */
const sqlite = `
ALTER TABLE forgotten ADD COLUMN content_hash BLOB;
-- Forgotten elements by aggregate; type 0 is AGGREGATE.
CREATE INDEX forgotten_elements ON forgotten (owner_id, label_id) WHERE type = 0;
CREATE TABLE aggregate_tombstones (
  owner_id INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  forget_id INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  PRIMARY KEY (owner_id, key_id, forget_id)
) WITHOUT ROWID;
CREATE INDEX candidates_retained ON candidates (item_id) WHERE code = 504;
`;

export const standingForgets: Migration = {
  number: 2,
  name: "standing forgets",
  sql: { sqlite, postgres: null },
};
