import type { Migration } from "./migration.ts";

/**
 * What whoever bills and publishes is told. What messages cost that cost nothing any more, for a while: whoever bills reads until when each of them ran. One
 * that was removed may come back and end again.
 *
 * Columns as in `costs`; started_us and ended_us: from when until when it cost that.
 */
const sqlite = `
CREATE TABLE ended_costs (
  id INTEGER NOT NULL,
  hash BLOB NOT NULL,
  owner_id INTEGER NOT NULL,
  payment INTEGER NOT NULL,
  hold TEXT NOT NULL,
  stream TEXT NOT NULL,
  credit TEXT NOT NULL,
  lines TEXT NOT NULL,
  price_list_id INTEGER NOT NULL,
  started_us INTEGER NOT NULL,
  ended_us INTEGER NOT NULL,
  PRIMARY KEY (id, ended_us)
);
CREATE INDEX ended_costs_time ON ended_costs (ended_us, hash);
CREATE INDEX ended_costs_owner ON ended_costs (owner_id, ended_us, hash);
-- The newest part at each place of publications of balances that list every holder. place: from 0; n: how many.
CREATE TABLE balance_parts (
  chain TEXT NOT NULL,
  place INTEGER NOT NULL,
  n INTEGER NOT NULL,
  height INTEGER NOT NULL,
  PRIMARY KEY (chain, place)
) WITHOUT ROWID;
`;

const postgres = `
CREATE TABLE ended_costs (
  id BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  owner_id BIGINT NOT NULL,
  payment BIGINT NOT NULL,
  hold bare_text NOT NULL,
  stream bare_text NOT NULL,
  credit bare_text NOT NULL,
  lines bare_text NOT NULL,
  price_list_id BIGINT NOT NULL,
  started_us BIGINT NOT NULL,
  ended_us BIGINT NOT NULL,
  PRIMARY KEY (id, ended_us)
);
CREATE INDEX ended_costs_time ON ended_costs (ended_us, hash);
CREATE INDEX ended_costs_owner ON ended_costs (owner_id, ended_us, hash);
CREATE TABLE balance_parts (
  chain bare_text NOT NULL,
  place BIGINT NOT NULL,
  n BIGINT NOT NULL,
  height BIGINT NOT NULL,
  PRIMARY KEY (chain, place)
);
`;

export const toldToAuthorities: Migration = {
  number: 8,
  name: "told to authorities",
  sql: { sqlite, postgres },
};
