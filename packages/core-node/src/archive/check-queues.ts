import { decodeItemHash } from "@twentysix/protocol";
import { MESSAGE_TYPE_CODE, type SqlConnection } from "@twentysix/storage";
import type { Problems } from "./problems.ts";
import { type CopyChecks, verifyStored } from "./read-copies.ts";

interface Rule {
  readonly kind: string;
  readonly text: string;
  /** Rows that break the rule: the hash of the item. */
  readonly query: string;
}

/** What must hold between the tables that do not follow from live messages. */
const RULES: readonly Rule[] = [
  {
    kind: "items",
    text: "is pending and nothing is queued for it",
    query: `SELECT i.hash FROM items i WHERE i.status = 0
      AND NOT EXISTS (SELECT 1 FROM candidates c WHERE c.item_id = i.id AND c.next_attempt_us IS NOT NULL)`,
  },
  {
    kind: "items",
    text: "is rejected and no refused copy of it is kept",
    // Of what a FORGET hid that was taken back after the texts had been erased, no copy is left either.
    query: `SELECT i.hash FROM items i WHERE i.status = 2 AND NOT EXISTS (SELECT 1 FROM candidates c WHERE c.item_id = i.id)
      AND NOT EXISTS (SELECT 1 FROM refusals r WHERE r.item_id = i.id)
      AND NOT EXISTS (SELECT 1 FROM events e WHERE e.item_id = i.id AND e.kind = 11)`,
  },
  {
    kind: "forgotten",
    text: "is forgotten and no FORGET says so, of it or of what it belongs to",
    query: `SELECT i.hash FROM items i LEFT JOIN forgotten f ON f.id = i.id WHERE i.status = 3
      AND NOT EXISTS (SELECT 1 FROM forgets r WHERE r.item_id = i.id)
      AND NOT EXISTS (SELECT 1 FROM items p WHERE p.hash = f.parent AND p.status = 3)`,
  },
  {
    kind: "forgotten",
    text: "is forgotten and what is kept of it is missing",
    query: "SELECT hash FROM items WHERE status = 3 AND id NOT IN (SELECT id FROM forgotten)",
  },
  {
    kind: "forgotten",
    text: "is kept as forgotten and is not",
    query: "SELECT i.hash FROM forgotten f JOIN items i ON i.id = f.id WHERE i.status <> 3",
  },
  {
    kind: "file_deletions",
    text: "is registered and its bytes are to be removed",
    query: "SELECT d.hash FROM file_deletions d JOIN files f ON f.hash = d.hash",
  },
  {
    kind: "pins",
    text: "pins a file that is not registered",
    query:
      "SELECT i.hash FROM pins p JOIN items i ON i.id = p.item_id WHERE p.file_id NOT IN (SELECT id FROM files)",
  },
];

/** Checks the queue, the refusals and the forgotten: each status has what it stands for, each queued copy verifies. */
export function checkQueues(stored: SqlConnection, checks: CopyChecks): void {
  for (const rule of RULES) {
    for (const { hash } of stored.iterateBig<{ hash: Uint8Array }>(rule.query)) {
      checks.problems.report(rule.kind, `${decodeItemHash(hash)} ${rule.text}`);
    }
  }
  checkCandidates(stored, checks);
  checkAddresses(stored, checks.problems);
  checkCounters(stored, checks.problems);
}

function checkCandidates(stored: SqlConnection, checks: CopyChecks): void {
  const queued = new Map<bigint, bigint>();
  const rows = stored.iterateBig<{ hash: Uint8Array; envelope: string; origin: bigint; is_queued: bigint }>(
    `SELECT i.hash, c.envelope, c.origin, c.next_attempt_us IS NOT NULL AS is_queued
     FROM candidates c JOIN items i ON i.id = c.item_id`,
  );
  for (const { hash, envelope, origin, is_queued: isQueued } of rows) {
    const itemHash = decodeItemHash(hash);
    const copy = verifyStored({ envelope, origin: Number(origin) }, checks);
    if (copy.kind === "refused") {
      const reason = JSON.stringify(copy.error.details);
      checks.problems.report("candidates", `a queued copy of ${itemHash} does not verify: ${reason}`);
      continue;
    }
    const found = copy.kind === "message" ? copy.message.envelope : copy.envelope;
    if (found.itemHash !== itemHash) {
      checks.problems.report("candidates", `a queued copy of ${itemHash} is one of another message`);
    }
    const type = BigInt(MESSAGE_TYPE_CODE[found.type]);
    queued.set(type, (queued.get(type) ?? 0n) + isQueued);
  }
  const counted = countsOf(stored, "SELECT b AS a, n FROM counters WHERE dimension = 14");
  compareCounts("queued copies by type", counted, queued, checks.problems);
}

function checkAddresses(stored: SqlConnection, problems: Problems): void {
  for (const row of stored.iterateBig<{ address: string; lower: string }>(
    "SELECT address, lower FROM addresses",
  )) {
    if (row.address.toLowerCase() === row.lower) continue;
    problems.report("addresses", `${row.address}: lower is ${row.lower}`);
  }
}

/** What is about to be removed still has its pin, but is not counted among the files of its owner. */
const SHOWN = "NOT EXISTS (SELECT 1 FROM removals r WHERE r.id = p.item_id)";

/** Counters that are counted from the stored rows themselves: those of queues, of pins and of the ledger. */
const COUNTED: readonly { readonly what: string; readonly counter: string; readonly rows: string }[] = [
  {
    what: "items by status",
    counter:
      "SELECT a, sum(n) AS n FROM counters WHERE dimension = 1 GROUP BY a HAVING sum(n) <> 0 ORDER BY a",
    rows: "SELECT status AS a, count(*) AS n FROM items GROUP BY status ORDER BY status",
  },
  {
    what: "pins by kind",
    counter: "SELECT a, n FROM counters WHERE dimension = 13 AND n <> 0 ORDER BY a",
    rows: "SELECT kind AS a, count(*) AS n FROM pins GROUP BY kind ORDER BY kind",
  },
  {
    what: "files by owner",
    counter: "SELECT a, n FROM counters WHERE dimension = 15 AND n <> 0 ORDER BY a",
    rows: `SELECT p.owner_id AS a, count(*) AS n FROM pins p WHERE p.kind = 1 AND ${SHOWN}
      GROUP BY p.owner_id ORDER BY p.owner_id`,
  },
  {
    what: "bytes of files by owner",
    counter: "SELECT a, n FROM counters WHERE dimension = 16 AND n <> 0 ORDER BY a",
    rows: `SELECT p.owner_id AS a, sum(f.size) AS n FROM pins p JOIN files f ON f.id = p.file_id
      WHERE p.kind = 1 AND ${SHOWN} GROUP BY p.owner_id HAVING sum(f.size) <> 0 ORDER BY p.owner_id`,
  },
  {
    what: "bytes of files in their grace period",
    counter: "SELECT a, n FROM counters WHERE dimension = 18 AND n <> 0",
    rows: `SELECT 0 AS a, sum(f.size) AS n FROM pins p JOIN files f ON f.id = p.file_id WHERE p.kind = 3
      HAVING sum(f.size) <> 0`,
  },
  {
    what: "credit entries by account",
    counter: "SELECT a, n FROM counters WHERE dimension = 19 AND n <> 0 ORDER BY a",
    rows: "SELECT account_id AS a, count(*) AS n FROM credit_entries GROUP BY account_id ORDER BY account_id",
  },
  {
    what: "balances by chain",
    counter: "SELECT a, n FROM counters WHERE dimension = 20 AND n <> 0 ORDER BY a",
    rows: `SELECT l.id AS a, count(*) AS n FROM balances b JOIN labels l ON l.label = b.chain
      GROUP BY l.id ORDER BY l.id`,
  },
];

function checkCounters(stored: SqlConnection, problems: Problems): void {
  for (const { what, counter, rows } of COUNTED) {
    compareCounts(what, countsOf(stored, counter), countsOf(stored, rows), problems);
  }
}

type Counts = ReadonlyMap<bigint, bigint>;

const countsOf = (stored: SqlConnection, query: string): Counts =>
  new Map([...stored.iterateBig<{ a: bigint; n: bigint }>(query)].map(({ a, n }) => [a, n]));

function compareCounts(what: string, counted: Counts, found: Counts, problems: Problems): void {
  for (const a of new Set([...counted.keys(), ...found.keys()])) {
    const [is, shouldBe] = [counted.get(a) ?? 0n, found.get(a) ?? 0n];
    if (is !== shouldBe) problems.report("counters", `${what}, ${a}: ${is}, counted ${shouldBe}`);
  }
}
