import type { Migration } from "./migration.ts";

/** Queued copies whose signatures chains are asked about, which is the code -2, are found without looking at the others. */
const sql = `
CREATE INDEX candidates_undecided ON candidates (id) WHERE code = -2;
`;

export const undecidedSignatures: Migration = {
  number: 13,
  name: "undecided signatures",
  sql: { sqlite: sql, postgres: sql },
};
