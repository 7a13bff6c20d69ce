import { createHash, randomFillSync } from "node:crypto";
import { DatabaseSync } from "node:sqlite";

/*
 * Accounts with resources that are paid by credits, written straight into the tables of a node: signing and
 * importing a million messages would take longer than what is to be measured.
 */

export interface AccountsPlan {
  readonly accounts: number;
  /** Of each account: four fifths stored files, the rest machines. */
  readonly resources: number;
  /** When granted credits of every tenth account expire, microseconds. */
  readonly expiryMicros: bigint;
  readonly nowMicros: bigint;
}

const MIB = 1024 * 1024;
/** Credits a second: a file of 100 MiB and an instance of one compute unit, at the prices of the local network. */
const FILE_RATE = 4_990_969_175_173_918n;
const MACHINE_RATE = 3_958_333_333_333_333_333n;
const DAY_SECONDS = 86_400n;
const ATTO = 10n ** 18n;

export const accountAddress = (index: number): string =>
  `0x${createHash("sha256").update(`account ${index}`).digest("hex").slice(0, 40)}`;
export const resourceHash = (account: number, index: number): Buffer =>
  createHash("sha256").update(`resource ${account} ${index}`).digest();

/**
 * Every account has credits for about two days. Of every tenth one nearly all of them expire during the day that
 * is measured; another tenth has too few from its first bill on.
 */
export function fillAccounts(databasePath: string, plan: AccountsPlan): void {
  const database = new DatabaseSync(databasePath);
  database.exec("PRAGMA synchronous = off; PRAGMA journal_mode = wal; PRAGMA cache_size = -500000; BEGIN");
  const ids = firstIds(database);
  const insert = statements(database);
  const labels = labelsOf(database);
  for (let account = 0; account < plan.accounts; account += 1) {
    const addressId = ids.address + account;
    const address = accountAddress(account);
    insert.address.run(addressId, address, address);
    let rate = 0n;
    for (let index = 0; index < plan.resources; index += 1) {
      const isFile = index < (plan.resources * 4) / 5;
      const id = ids.item + account * plan.resources + index;
      const unit = isFile ? FILE_RATE : MACHINE_RATE;
      rate += unit;
      const micros = plan.nowMicros - BigInt(1_000_000 - index);
      const hash = resourceHash(account, index);
      insert.item.run(hash, id, 1, micros);
      insert.copy.run(id, id, `{"signature":"0x${"ab".repeat(65)}"}`, 0, micros);
      insert.message.run(
        id,
        id,
        isFile ? 2 : 4,
        0,
        labels.eth,
        addressId,
        addressId,
        labels.credit,
        micros,
        micros,
        300,
        300,
      );
      insert.cost.run(
        id,
        hash,
        addressId,
        2,
        "0",
        "0",
        unit.toString(),
        "[]",
        micros,
        1,
        1,
        1,
        isFile ? 100 * MIB : null,
      );
      if (!isFile) continue;
      insert.file.run(id, randomFillSync(Buffer.alloc(32)), 100 * MIB, 0);
      insert.pin.run(id, 1, id, addressId, null, `tag ${id}`, micros);
    }
    const perDay = (rate * DAY_SECONDS) / ATTO + 1n;
    const lots = account % 10 === 0 ? [perDay] : account % 10 === 1 ? [perDay * 2n, 10n] : [perDay * 2n];
    const expiry = account % 10 === 1 ? plan.expiryMicros + BigInt(account % 1_000) : null;
    for (const [index, remaining] of lots.entries()) {
      const hash = createHash("sha256").update(`grant ${account}`).digest();
      insert.lot.run(
        addressId,
        plan.nowMicros - 2_000_000n,
        hash,
        index,
        remaining,
        index === 0 ? expiry : null,
      );
    }
    const granted = lots.reduce((sum, lot) => sum + lot, 0n);
    insert.account.run(addressId, address, rate.toString(), plan.resources, granted.toString(), expiry);
  }
  insert.counter.run(1, 2, 1, plan.accounts * plan.resources);
  database.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
}

interface FirstIds {
  readonly address: number;
  readonly item: number;
}

function firstIds(database: DatabaseSync): FirstIds {
  const next = (sql: string): number =>
    Number((database.prepare(sql).get() as { n: number | null }).n ?? 0) + 1;
  return {
    address: next("SELECT max(id) AS n FROM addresses"),
    item: next(
      "SELECT max(n) AS n FROM (SELECT max(id) AS n FROM items UNION SELECT max(id) FROM copies UNION SELECT max(id) FROM files)",
    ),
  };
}

function labelsOf(database: DatabaseSync): { readonly eth: number; readonly credit: number } {
  const intern = (label: string): number => {
    database.prepare("INSERT OR IGNORE INTO labels (label) VALUES (?)").run(label);
    return Number(
      (database.prepare("SELECT id FROM labels WHERE label = ?").get(label) as { id: number }).id,
    );
  };
  return { eth: intern("ETH"), credit: intern("credit") };
}

function statements(database: DatabaseSync) {
  return {
    address: database.prepare("INSERT INTO addresses (id, address, lower) VALUES (?, ?, ?)"),
    item: database.prepare("INSERT INTO items (hash, id, status, reception_us) VALUES (?, ?, ?, ?)"),
    copy: database.prepare(
      "INSERT INTO copies (id, item_id, envelope, origin, reception_us) VALUES (?, ?, ?, ?, ?)",
    ),
    message: database.prepare(
      `INSERT INTO messages (id, copy_id, type, item_type, chain_id, sender_id, owner_id, payment_id, time_us,
         content_time_us, size, size_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    cost: database.prepare(
      `INSERT INTO costs (id, hash, owner_id, payment, hold, stream, credit, lines, time_us, price_list_id, billed,
         removable, file_size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    file: database.prepare("INSERT INTO files (id, hash, size, type) VALUES (?, ?, ?, ?)"),
    pin: database.prepare(
      "INSERT INTO pins (file_id, kind, item_id, owner_id, ref, tag, created_us) VALUES (?, ?, ?, ?, ?, ?, ?)",
    ),
    lot: database.prepare(
      "INSERT INTO credit_lots (account_id, time_us, hash, idx, remaining, expires_us) VALUES (?, ?, ?, ?, ?, ?)",
    ),
    account: database.prepare(
      `INSERT INTO accounts (id, address, tokens, held, streamed, credit_rate, removable, removing, credits_in,
         credits_out, next_event_us) VALUES (?, ?, '0', '0', '0', ?, ?, 0, ?, '0', ?)`,
    ),
    counter: database.prepare(
      `INSERT INTO counters (dimension, a, b, n) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET n = n + excluded.n`,
    ),
  };
}
