import type { Migration } from "./migration.ts";

/**
 * What decisions about money looked at is kept with them: why a message was accepted or marked, what a removed one
 * cost and why it ended, and by what a copy was refused payment. Amounts as in the ledger: docs/decisions/0010-ledger.md.
 */
const records = ({ text, integer }: { readonly text: string; readonly integer: string }): string => `
-- By which rule the message was accepted: see acceptance-text.ts. NULL: accepted before this was kept.
ALTER TABLE costs ADD COLUMN acceptance ${text};

-- Found when the message was marked: see shortfall-text.ts. NULL: marked before this was kept.
ALTER TABLE removals ADD COLUMN marked ${text};

-- By items.id, while the message is removed: its row of costs, that of removals, and what ended it.
CREATE TABLE removed_bills (
  id ${integer} PRIMARY KEY,
  owner_id ${integer} NOT NULL,
  payment ${integer} NOT NULL,
  hold ${text} NOT NULL,
  stream ${text} NOT NULL,
  credit ${text} NOT NULL,
  lines ${text} NOT NULL,
  time_us ${integer} NOT NULL,
  price_list_id ${integer} NOT NULL,
  billed ${integer} NOT NULL,
  acceptance ${text},
  file_size ${integer},
  since_us ${integer} NOT NULL,
  delete_by_us ${integer} NOT NULL,
  reason ${integer} NOT NULL,
  marked ${text},
  ended ${text} NOT NULL,
  news_hash ${text} NOT NULL,
  news_time_us ${integer} NOT NULL,
  news_processed_us ${integer} NOT NULL
);

-- JSON: what was looked at when a copy was refused payment; NULL for other refusals.
ALTER TABLE refusals ADD COLUMN payment ${text};
ALTER TABLE candidates ADD COLUMN payment ${text};
`;

export const paymentRecords: Migration = {
  number: 7,
  name: "payment records",
  sql: {
    sqlite: records({ text: "TEXT", integer: "INTEGER" }),
    postgres: records({ text: "bare_text", integer: "BIGINT" }),
  },
};
