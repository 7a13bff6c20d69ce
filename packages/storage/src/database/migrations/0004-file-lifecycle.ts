import type { Migration } from "./migration.ts";

/**
 * The journal of files whose bytes are to go, and what was found wrong with files that stay:
 * docs/decisions/0009-collection.md.
 */
const sqlite = `
-- Names whose bytes are to be removed, from due_us on. cid: a further name that goes along. A row is written in
-- the transaction that takes the row out of files, and ends after the bytes.
CREATE TABLE file_deletions (
  hash BLOB PRIMARY KEY,
  cid BLOB,
  size INTEGER NOT NULL,
  due_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX file_deletions_due ON file_deletions (due_us);
-- Files registered under a CID whose bytes also stand under a SHA-256.
CREATE INDEX files_by_cid_sha256 ON files (sha256) WHERE sha256 <> hash;
-- Files that are registered and whose bytes are not as they should be. reason: 0 missing, 1 corrupt.
CREATE TABLE damaged_files (
  file_id INTEGER PRIMARY KEY,
  reason INTEGER NOT NULL,
  found_us INTEGER NOT NULL
);
`;

export const fileLifecycle: Migration = {
  number: 4,
  name: "file lifecycle",
  sql: { sqlite, postgres: null },
};
