import type { Clock, Logger, Timers } from "@twentysix/platform";
import type { LedgerRules } from "@twentysix/state";
import type { SqlConnection } from "@twentysix/storage/writer";
import { ACCOUNT_COLUMNS, type AccountRow, checkAccount } from "../../ledger/check-account.ts";

/** What was found since the start. */
export interface LedgerAudit {
  readonly checkedAccounts: number;
  /** Left to `twentysix verify`: they would hold the writer up. */
  readonly largeAccounts: number;
  readonly faults: number;
  /** When all accounts had been looked at, the last time; null: not yet. */
  readonly lastPassMicros: bigint | null;
}

export interface LedgerAuditorOptions {
  readonly connection: SqlConnection;
  readonly rules: Pick<LedgerRules, "freeItemsUncounted">;
  readonly clock: Pick<Clock, "nowMicros">;
  readonly timers: Pick<Timers, "schedule">;
  readonly log: Logger;
  /** Told after each slice. */
  readonly onAudit: (audit: LedgerAudit) => void;
  /** A slice is due: the loop should look. */
  readonly onDue: () => void;
}

/** Accounts of one slice, and rows that they may have together before it ends early. */
const SLICE = 16;
const MAX_SLICE_ROWS = 4_000;
/** A hundred thousand accounts are looked at within nine hours. */
const PAUSE_MS = 5_000;
/** Once all were looked at, it starts again only after this time. */
const PASS_PAUSE_MS = 3_600_000;

const ROWS = `SELECT (SELECT count(*) FROM (SELECT 1 FROM credit_entries WHERE account_id = ? LIMIT ${MAX_SLICE_ROWS + 1}) AS e)
  + (SELECT count(*) FROM (SELECT 1 FROM costs WHERE owner_id = ? LIMIT ${MAX_SLICE_ROWS + 1}) AS c) AS n`;

/**
 * Computes the sums and lots of one account after the other anew while the writer has nothing to do, and says aloud
 * when one is not what its rows give.
 */
export class LedgerAuditor {
  readonly #options: LedgerAuditorOptions;
  #audit: LedgerAudit = { checkedAccounts: 0, largeAccounts: 0, faults: 0, lastPassMicros: null };
  #afterId = -1n;
  #isDue = false;
  #cancel: () => void = () => undefined;

  constructor(options: LedgerAuditorOptions) {
    this.#options = options;
    this.#sleep(PAUSE_MS);
  }

  /** One slice; false when none is due. */
  advance(): boolean {
    if (!this.#isDue) return false;
    this.#isDue = false;
    const { connection, clock, onAudit } = this.#options;
    const accounts = connection.allBig<AccountRow>(
      `SELECT ${ACCOUNT_COLUMNS} FROM accounts WHERE id > ? ORDER BY id LIMIT ${SLICE}`,
      this.#afterId,
    );
    this.#check(accounts);
    const isPassOver = accounts.length === 0;
    if (isPassOver) {
      this.#afterId = -1n;
      this.#audit = { ...this.#audit, lastPassMicros: clock.nowMicros() };
    }
    onAudit(this.#audit);
    this.#sleep(isPassOver ? PASS_PAUSE_MS : PAUSE_MS);
    return true;
  }

  close(): void {
    this.#cancel();
  }

  #check(accounts: readonly AccountRow[]): void {
    const { connection, rules, log } = this.#options;
    let rows = 0;
    for (const account of accounts) {
      const size = connection.get<{ n: number }>(ROWS, account.id, account.id)?.n ?? 0;
      rows += size;
      if (rows > MAX_SLICE_ROWS && rows > size) return;
      this.#afterId = account.id;
      if (size > MAX_SLICE_ROWS) {
        this.#audit = { ...this.#audit, largeAccounts: this.#audit.largeAccounts + 1 };
        continue;
      }
      const problems = checkAccount(connection, rules, account);
      if (problems.length > 0)
        log.error("The ledger contradicts itself: run twentysix verify, and report it", { problems });
      const { checkedAccounts, faults } = this.#audit;
      this.#audit = {
        ...this.#audit,
        checkedAccounts: checkedAccounts + 1,
        faults: faults + problems.length,
      };
    }
  }

  #sleep(delayMs: number): void {
    const { timers, onDue } = this.#options;
    this.#cancel = timers.schedule(delayMs, () => {
      this.#isDue = true;
      onDue();
    });
  }
}
