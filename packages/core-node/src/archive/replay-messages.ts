import type { Clock, Logger, Random } from "@twentysix/platform";
import { type CryptoProvider, decodeItemHash, type ProtocolSwitches } from "@twentysix/protocol";
import type { StateRules } from "@twentysix/state";
import { type MessageStore, ORIGINS, type SqliteConnection } from "@twentysix/storage";
import type { CopyReader } from "../pipeline/copy-reader.ts";
import { verifyCopy } from "../pipeline/verify-copy.ts";
import { BatchWriter } from "../pipeline/writer/batch-writer.ts";
import type { CopyJob } from "../pipeline/writer/jobs.ts";
import { seedForReplay } from "./seed-replay.ts";

export interface ReplayOptions {
  readonly stored: SqliteConnection;
  readonly computed: MessageStore;
  readonly reader: CopyReader;
  readonly rules: StateRules;
  readonly crypto: CryptoProvider;
  readonly switches: ProtocolSwitches;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly problem: (text: string) => void;
}

interface CopyRow {
  readonly id: number;
  readonly hash: Uint8Array;
  readonly envelope: string;
  readonly content: string | null;
  readonly origin: number;
  readonly served: number;
}

const BATCH = 256;
const PROGRESS_EVERY = 100_000;

/**
 * Feeds all stored copies, in the order in which their messages were processed, to a writer over an empty
 * database. Forgotten messages cannot be fed, so what is kept of them is given.
 */
export async function replayMessages(options: ReplayOptions): Promise<void> {
  seedForReplay(options.stored, options.computed.session.connection);
  const contents = new Map<string, string>();
  const writer = new BatchWriter({
    store: options.computed,
    rules: options.rules,
    reader: options.reader,
    contents: { read: async (itemHash) => contents.get(itemHash) ?? null },
    priceCheck: () => ({ ok: true }),
    clock: options.clock,
    random: options.random,
  });
  let replayed = 0;
  for (const rows of batchesInProcessingOrder(options.stored)) {
    options.signal.throwIfAborted();
    contents.clear();
    const copies = rows.flatMap((row) => jobOf(row, options, contents));
    const report = await writer.write({ sideJobs: [], copies, candidates: [] });
    for (const result of report.results) {
      if (result.status === "processed" || result.status === "forgotten") continue;
      options.problem(
        `message ${result.itemHash}: stored as processed, computed ${result.status} (${result.errorCode})`,
      );
    }
    replayed += copies.length;
    if (replayed % PROGRESS_EVERY < BATCH) options.log.info("Replaying", { copies: replayed });
  }
}

function jobOf(row: CopyRow, options: ReplayOptions, contents: Map<string, string>): CopyJob[] {
  const hash = decodeItemHash(row.hash);
  const { crypto, switches } = options;
  const trusted = ORIGINS[row.origin] === "onchain";
  const copy = verifyCopy(row.envelope, trusted ? { crypto, switches, trusted } : { crypto, switches });
  if (copy.kind === "refused") {
    options.problem(`message ${hash}: a stored copy does not verify: ${JSON.stringify(copy.error.details)}`);
    return [];
  }
  if (row.content !== null) contents.set(hash, row.content);
  return [{ jobId: row.id, copy, origin: ORIGINS[row.origin] ?? "import", receptionMicros: 0n }];
}

/**
 * The log says when each message was processed. The served copy goes first, since without canonical order it is
 * the first that counts.
 */
function* batchesInProcessingOrder(stored: SqliteConnection): Generator<CopyRow[]> {
  let after = 0;
  for (;;) {
    const events = stored.all<{ seq: number; item_id: number }>(
      `SELECT max(e.seq) AS seq, e.item_id FROM events e JOIN messages m ON m.id = e.item_id
       WHERE e.kind = 2 AND e.seq > ? AND NOT EXISTS (SELECT 1 FROM events l WHERE l.item_id = e.item_id AND l.kind = 2 AND l.seq > e.seq)
       GROUP BY e.item_id ORDER BY seq LIMIT ?`,
      after,
      BATCH,
    );
    const last = events.at(-1);
    if (last === undefined) return;
    after = last.seq;
    yield events.flatMap((event) =>
      stored.all<CopyRow>(
        `SELECT c.id, i.hash, c.envelope, c.content, c.origin, c.id = m.copy_id AS served
         FROM copies c JOIN items i ON i.id = c.item_id JOIN messages m ON m.id = c.item_id
         WHERE c.item_id = ? ORDER BY served DESC, c.id`,
        event.item_id,
      ),
    );
  }
}
