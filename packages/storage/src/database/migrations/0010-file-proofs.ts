import type { Migration } from "./migration.ts";

/**
 * Which other nodes have proven that they hold a file, and when they last did.
 *
 * Bytes that were given up because others keep them have a row in damaged_files with the reason 2 (elsewhere).
 */
const sqlite = `
CREATE TABLE file_proofs (
  file_id INTEGER NOT NULL,
  peer TEXT NOT NULL,
  proven_us INTEGER NOT NULL,
  PRIMARY KEY (file_id, peer)
) WITHOUT ROWID;
`;

const postgres = `
CREATE TABLE file_proofs (
  file_id BIGINT NOT NULL,
  peer bare_text NOT NULL,
  proven_us BIGINT NOT NULL,
  PRIMARY KEY (file_id, peer)
);
`;

export const fileProofs: Migration = { number: 10, name: "file proofs", sql: { sqlite, postgres } };
