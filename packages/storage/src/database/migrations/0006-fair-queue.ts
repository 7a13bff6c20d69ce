import type { Migration } from "./migration.ts";

/** Senders take turns in the queue, and each has so many places in it. Origins: 3 import, 4 onchain. */
const sql = `
DROP INDEX candidates_next;
CREATE INDEX candidates_next ON candidates (next_attempt_us, sender_id) WHERE next_attempt_us IS NOT NULL;
CREATE INDEX candidates_sender ON candidates (sender_id, attempts DESC)
  WHERE next_attempt_us IS NOT NULL AND origin NOT IN (3, 4);
`;

export const fairQueue: Migration = { number: 6, name: "fair queue", sql: { sqlite: sql, postgres: sql } };
