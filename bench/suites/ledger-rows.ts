import { mkdirSync } from "node:fs";
import { dataPaths } from "@twentysix/core-node";
import { type CostLine, PriceDecimal } from "@twentysix/protocol";
import { COUNTER_CODE, MESSAGE_TYPE_CODE, type SqlConnection } from "@twentysix/storage";
import { encodeCostLines, MessageStore } from "@twentysix/storage/writer";

/** Accounts; the first has more of everything than all others. */
export const ACCOUNTS = 100_000;
export const WHALE = "0xAccount000001";
/** Share of entries and costs that belongs to the first account. */
const WHALE_SHARE = 0.3;
/** Costs whose messages are there to be asked for by their hash. */
export const PRICED_MESSAGES = 50_000;

/** Seconds at which the ledger begins. */
const START_SECONDS = 1_780_000_000;

/** 1,000 tokens held, the stream and the credits of an instance of one core. */
const COST = { hold: 10n ** 21n, stream: 15_277_777_777_777n, credit: 3_958_333_333_333_333_333n };
const LINES = encodeCostLines("", [
  line("EXECUTION", "instance", { ...COST, quantity: 1 }),
  line("EXECUTION_INSTANCE_VOLUME_ROOTFS", "rootfs", {
    hold: 1024n,
    stream: 1n,
    credit: 1n,
    quantity: 20_480,
  }),
  line("EXECUTION_VOLUME_DISCOUNT", "discount", { hold: -1024n, stream: -1n, credit: -1n, quantity: 20_480 }),
]);

interface Amounts {
  readonly hold: bigint;
  readonly stream: bigint;
  readonly credit: bigint;
  readonly quantity: number;
}

function line(type: CostLine["type"], name: string, { hold, stream, credit, quantity }: Amounts): CostLine {
  const size = new PriceDecimal(quantity);
  const amounts = { holdAtto: hold, streamAttoPerSecond: stream, creditAttoPerSecond: credit };
  return { type, name, ref: null, sizeMib: quantity > 1 ? size : null, quantity: size, ...amounts };
}

/** Fills the database of a node with a ledger of so many entries and so many costs, by plain SQL. */
export function fillLedger(dataDir: string, rows: number): void {
  const { folder, database } = dataPaths(dataDir);
  mkdirSync(folder, { recursive: true });
  const store = new MessageStore({ path: database, synchronous: "off", readElementFields: () => [] });
  const { connection } = store.session;
  try {
    connection.transaction(() => {
      fillAccounts(connection);
      fillEntries(connection, rows);
      fillCosts(connection, rows);
    });
    store.checkpoint("truncate");
    connection.exec("ANALYZE");
  } finally {
    store.close();
  }
}

const numbers = (count: number): string =>
  `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;

/** The account of row i: every so many belong to the first, the others are spread. */
const accountOf = (i: string): string =>
  `(CASE WHEN ${i} % 1000 < ${WHALE_SHARE * 1000} THEN 1 ELSE 2 + (${i} * 7919) % ${ACCOUNTS - 1} END)`;

function fillAccounts(connection: SqlConnection): void {
  const name = "printf('0xAccount%06d', i)";
  connection.exec(`
    ${numbers(ACCOUNTS)} INSERT INTO addresses (id, address, lower) SELECT i, ${name}, lower(${name}) FROM n;
    ${numbers(ACCOUNTS)} INSERT INTO accounts (id, address, tokens, held, streamed, credit_rate, removable, removing,
      last_us, last_hash, last_idx, credits_in, credits_out, next_event_us)
      SELECT i, ${name}, '1000000000000000000', '0', '0', '3958333333333333333', 1, 0, ${START_SECONDS}000000, x'00', 0,
        '1000000', '500000', NULL FROM n;
    INSERT INTO labels (id, label) VALUES (1, 'ETH'), (2, 'SOL'), (3, 'AVAX'), (4, 'credit');
  `);
  for (const [id, chain] of [
    [1, "ETH"],
    [2, "SOL"],
    [3, "AVAX"],
  ] as const) {
    connection.exec(`${numbers(ACCOUNTS)} INSERT INTO balances (address, chain, dapp, tokens, whole, height, updated_us)
      SELECT ${name}, '${chain}', '', printf('%d000000000000000000', i % 5000), i % 5000, 1, 1 FROM n`);
    connection.run(
      "INSERT INTO counters (dimension, a, b, n) VALUES (?, ?, 0, ?)",
      COUNTER_CODE.balanceRows,
      id,
      ACCOUNTS,
    );
  }
  connection.exec(`${numbers(ACCOUNTS * 2)} INSERT INTO credit_lots (account_id, time_us, hash, idx, remaining, expires_us)
    SELECT 1 + i % ${ACCOUNTS}, i, randomblob(32), 0, 1 + i % 1000000, CASE WHEN i % 3 = 0 THEN 4000000000000000 END FROM n`);
}

function fillEntries(connection: SqlConnection, rows: number): void {
  connection.exec(`${numbers(rows)} INSERT INTO credit_entries (hash, idx, account_id, amount, time_us, expires_us, price,
      tx_hash, token, chain, origin, origin_ref, provider, method, resource)
    SELECT randomblob(32), 0, ${accountOf("i")}, CASE WHEN i % 10 = 0 THEN 1000 + i % 77777 ELSE -1 - i % 5000 END,
      ${START_SECONDS}000000 + i * 10000000, CASE WHEN i % 10 = 0 THEN 4000000000000000 END, '0.010555',
      hex(randomblob(32)), CASE WHEN i % 10 = 0 THEN 'ALEPH' END, CASE WHEN i % 10 = 0 THEN 'ETH' END,
      'resource ' || (i % 2000), NULL, 'ALEPH', CASE WHEN i % 10 = 0 THEN 'token_transfer' ELSE 'credit_expense' END,
      cast(x'fe' || 'resource ' || (i % 2000) AS BLOB) FROM n`);
  connection.exec(`INSERT INTO counters (dimension, a, b, n)
    SELECT ${COUNTER_CODE.creditEntries}, account_id, 0, count(*) FROM credit_entries GROUP BY account_id`);
}

function fillCosts(connection: SqlConnection, rows: number): void {
  connection.run(
    "INSERT INTO price_lists (id, hash, pricing, settings, first_used_us) VALUES (1, ?, '{}', '{}', 0)",
    "ab".repeat(32),
  );
  connection.exec(`${numbers(rows)} INSERT INTO costs (id, hash, owner_id, payment, hold, stream, credit, lines, time_us,
      price_list_id, billed, removable, file_size)
    SELECT i, randomblob(32), ${accountOf("i")}, 2, '${COST.hold}', '${COST.stream}', '${COST.credit}', '${LINES}',
      ${START_SECONDS}000000 + i, 1, 1, 1, NULL FROM n`);
  const insert = `INSERT INTO cost_totals (owner_id, payment, n, hold, stream, credit) VALUES (?, 2, ?, ?, ?, ?)`;
  const add = (ownerId: number, n: number): void => {
    const sum = (one: bigint): string => (one * BigInt(n)).toString();
    connection.run(insert, ownerId, n, sum(COST.hold), sum(COST.stream), sum(COST.credit));
  };
  add(0, rows);
  const owners = connection.all<{ id: number; n: number }>(
    "SELECT owner_id AS id, count(*) AS n FROM costs GROUP BY owner_id",
  );
  for (const { id, n } of owners) add(id, n);
  const priced = Math.min(PRICED_MESSAGES, rows);
  connection.exec(`
    INSERT INTO items (id, hash, status, reception_us) SELECT id, hash, 1, time_us FROM costs WHERE id <= ${priced};
    INSERT INTO messages (id, copy_id, type, item_type, chain_id, sender_id, owner_id, payment_id, time_us,
      content_time_us, size, size_bytes, confirmed_us, confirmed_height)
      SELECT id, id, ${MESSAGE_TYPE_CODE.INSTANCE}, 0, 1, owner_id, owner_id, 4, time_us, time_us, 1, 1, 9223372036854775807, 9223372036854775807
      FROM costs WHERE id <= ${priced};
    INSERT INTO consumed_credits (resource, credits) SELECT hash, '12345' FROM costs WHERE id <= ${priced};
    INSERT INTO spent_credits (account_id, credits) SELECT id, '500000' FROM accounts;
    INSERT INTO spent_credits (account_id, credits) VALUES (0, '50000000000');
  `);
}

/** Hashes of messages that can be asked for. */
export function pricedHashes(dataDir: string, count: number): string[] {
  const store = new MessageStore({ path: dataPaths(dataDir).database, readElementFields: () => [] });
  try {
    return store.session.connection
      .all<{ hash: Uint8Array }>("SELECT hash FROM items ORDER BY id LIMIT ?", count)
      .map(({ hash }) => Buffer.from(hash).toString("hex"));
  } finally {
    store.close();
  }
}
