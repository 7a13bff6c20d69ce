import { LEDGER_POSTGRES } from "./0005-ledger-postgres.ts";
import type { Migration } from "./migration.ts";

/**
 * The ledger: what accounts have, what messages cost, and what is about to be removed: docs/decisions/0010-ledger.md.
 *
 * Amounts of tokens, and rates of credits, are integers of 10^-18 that pass 64 bits: decimal texts. Credits are
 * whole numbers of 64 bits.
 */
const sqlite = `
-- By addresses.id: whoever ever had a balance, a credit entry or a cost.
CREATE TABLE accounts (
  id INTEGER PRIMARY KEY,
  address TEXT NOT NULL UNIQUE,
  tokens TEXT NOT NULL,
  held TEXT NOT NULL,
  streamed TEXT NOT NULL,
  credit_rate TEXT NOT NULL,
  removable INTEGER NOT NULL,
  removing INTEGER NOT NULL,
  last_us INTEGER,
  last_hash BLOB,
  last_idx INTEGER,
  credits_in TEXT NOT NULL,
  credits_out TEXT NOT NULL,
  next_event_us INTEGER
);
CREATE INDEX accounts_next_event ON accounts (next_event_us) WHERE next_event_us IS NOT NULL;
CREATE INDEX accounts_credits ON accounts (address) WHERE credits_in <> '0';

-- dapp: empty for what can be spent. whole: tokens without their fraction.
CREATE TABLE balances (
  address TEXT NOT NULL,
  chain TEXT NOT NULL,
  dapp TEXT NOT NULL,
  tokens TEXT NOT NULL,
  whole INTEGER NOT NULL,
  height INTEGER NOT NULL,
  updated_us INTEGER NOT NULL,
  PRIMARY KEY (address, chain, dapp)
) WITHOUT ROWID;
CREATE INDEX balances_chain ON balances (chain, address, dapp);
CREATE INDEX balances_whole ON balances (whole);

-- The history of each account lies together. hash, idx: the message and the place in it.
-- resource: what an expense paid for, encoded like messages.ref.
CREATE TABLE credit_entries (
  hash BLOB NOT NULL,
  idx INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  expires_us INTEGER,
  price TEXT,
  bonus INTEGER,
  tx_hash TEXT,
  token TEXT,
  chain TEXT,
  origin TEXT,
  origin_ref TEXT,
  provider TEXT,
  method TEXT,
  n INTEGER,
  size_mib TEXT,
  resource BLOB,
  PRIMARY KEY (account_id, time_us, hash, idx)
) WITHOUT ROWID;
CREATE UNIQUE INDEX credit_entries_hash ON credit_entries (hash, idx);
CREATE INDEX credit_entries_resource ON credit_entries (account_id, resource, time_us) WHERE resource IS NOT NULL;

-- What is left of incoming entries, while something is.
CREATE TABLE credit_lots (
  account_id INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  hash BLOB NOT NULL,
  idx INTEGER NOT NULL,
  remaining INTEGER NOT NULL,
  expires_us INTEGER,
  PRIMARY KEY (account_id, time_us, hash, idx)
) WITHOUT ROWID;
-- Credits that expenses took for a resource, all accounts together.
CREATE TABLE consumed_credits (resource BLOB PRIMARY KEY, credits TEXT NOT NULL) WITHOUT ROWID;
-- Credits that expenses took from an account; account 0: all.
CREATE TABLE spent_credits (account_id INTEGER PRIMARY KEY, credits TEXT NOT NULL);

-- By items.id: what live messages cost. payment: position in PAYMENT_TYPES. lines: JSON. billed, removable: 0 or 1.
CREATE TABLE costs (
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL,
  owner_id INTEGER NOT NULL,
  payment INTEGER NOT NULL,
  hold TEXT NOT NULL,
  stream TEXT NOT NULL,
  credit TEXT NOT NULL,
  lines TEXT NOT NULL,
  time_us INTEGER NOT NULL,
  price_list_id INTEGER NOT NULL,
  billed INTEGER NOT NULL,
  removable INTEGER NOT NULL,
  file_size INTEGER
);
CREATE UNIQUE INDEX costs_payment ON costs (payment, hash);
CREATE INDEX costs_owner ON costs (owner_id, payment, hash);
CREATE INDEX costs_order ON costs (owner_id, payment, time_us, hash);
-- Sums of costs by owner and payment type; owner 0: all.
CREATE TABLE cost_totals (
  owner_id INTEGER NOT NULL,
  payment INTEGER NOT NULL,
  n INTEGER NOT NULL,
  hold TEXT NOT NULL,
  stream TEXT NOT NULL,
  credit TEXT NOT NULL,
  PRIMARY KEY (owner_id, payment)
) WITHOUT ROWID;
-- Every price list that a cost was computed by. hash: SHA-256 of both contents as canonical JSON.
CREATE TABLE price_lists (
  id INTEGER PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  pricing TEXT NOT NULL,
  settings TEXT NOT NULL,
  first_used_us INTEGER NOT NULL
);

-- Messages that their owner cannot pay for. reason: 0 balance, 1 credit.
CREATE TABLE removals (
  id INTEGER PRIMARY KEY,
  owner_id INTEGER NOT NULL,
  since_us INTEGER NOT NULL,
  delete_by_us INTEGER NOT NULL,
  reason INTEGER NOT NULL
);
CREATE INDEX removals_owner ON removals (owner_id, delete_by_us);
-- Newest publication of balances and of credits.
CREATE TABLE publications (
  kind TEXT PRIMARY KEY,
  hash TEXT NOT NULL,
  time_us INTEGER NOT NULL,
  processed_us INTEGER NOT NULL
) WITHOUT ROWID;

-- A removed message can be told from what is kept of it, and its copies stay.
ALTER TABLE removed ADD COLUMN copy_id INTEGER;
ALTER TABLE removed ADD COLUMN label_id INTEGER;
ALTER TABLE removed ADD COLUMN live_payment_id INTEGER;
ALTER TABLE removed ADD COLUMN ref BLOB;
ALTER TABLE removed ADD COLUMN content_hash BLOB;
ALTER TABLE removed ADD COLUMN content_time_us INTEGER;
ALTER TABLE removed ADD COLUMN content_size INTEGER;
ALTER TABLE removed ADD COLUMN size_bytes INTEGER;
ALTER TABLE removed ADD COLUMN confirmed_us INTEGER;
ALTER TABLE removed ADD COLUMN confirmed_height INTEGER;
CREATE TABLE removed_tags (removed_id INTEGER NOT NULL, tag_id INTEGER NOT NULL, PRIMARY KEY (removed_id, tag_id)) WITHOUT ROWID;
-- A tag names its file even where the file is gone with the message that was removed.
ALTER TABLE file_tags ADD COLUMN file_hash BLOB;
UPDATE file_tags SET file_hash = (SELECT hash FROM files WHERE files.id = file_tags.file_id);
`;

export const ledger: Migration = { number: 5, name: "ledger", sql: { sqlite, postgres: LEDGER_POSTGRES } };
