import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import { contractChainsOf, type NetworkDefinition } from "@twentysix/protocol";
import { createNodeCrypto } from "@twentysix/protocol/node";
import {
  type BlobEngine,
  ContentStore,
  openConnection,
  type SqlConnection,
  SqliteConnection,
} from "@twentysix/storage";
import {
  completeCounters,
  holdForWriting,
  MessageStore,
  migrate,
  StateTree,
} from "@twentysix/storage/writer";
import { readBlobsFrom } from "../content/read-blob.ts";
import { createCopyReader } from "../pipeline/copy-reader.ts";
import { stateRulesOf } from "../pipeline/state-rules.ts";
import { createBlobContents } from "../pipeline/writer/blob-contents.ts";
import { adoptFunds } from "./adopt-funds.ts";
import { assertDatabase } from "./assert-database.ts";
import { checkFiles } from "./check-files.ts";
import { checkLedger } from "./check-ledger.ts";
import { checkQueues } from "./check-queues.ts";
import { compareDerived } from "./compare-derived.ts";
import { Problems } from "./problems.ts";
import type { CopyChecks } from "./read-copies.ts";
import { replayMessages } from "./replay-messages.ts";
import { seedForReplay } from "./seed-replay.ts";
import { WHOLE_TABLE_TIMEOUT_MS } from "./whole-tables.ts";

export interface VerifyOptions {
  readonly databasePath: string;
  /** Folder of the content store. */
  readonly contentsFolder: string;
  /** What keeps the files; plain files in that folder by default. */
  readonly engine?: BlobEngine;
  /** Folder for the database that is computed anew; what is written there is removed at the end. */
  readonly scratchFolder: string;
  readonly definition: NetworkDefinition;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface VerifyReport {
  readonly ok: boolean;
  /** State root computed from the stored messages, lower-case hexadecimal; empty when the database is broken. */
  readonly root: string;
  /** Messages in the state. */
  readonly count: number;
  /** What differs, one line each, beginning with what it is about; many of one kind are counted in the last. */
  readonly problems: readonly string[];
}

/** Does not matter in a replay: grace periods are left out of the comparison. */
const GRACE_PERIOD_MS = 0;

/**
 * Computes everything again from the stored messages and compares it with what is stored: hashes and signatures
 * of all copies, the state in a fresh database, every derived table and counter, the state root; and that each
 * file registered as held is there with the bytes that its names say.
 *
 * @throws NoDatabaseError; the signal's reason
 */
export async function verifyData(options: VerifyOptions): Promise<VerifyReport> {
  await assertDatabase(options.databasePath);
  const problems = new Problems();
  const scratch = await mkdtemp(join(options.scratchFolder, "verify-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(scratch, { recursive: true, force: true }));
  const stored = openConnection(options.databasePath, {
    purpose: "verify",
    statementTimeoutMs: WHOLE_TABLE_TIMEOUT_MS,
  });
  stack.defer(() => stored.close());
  holdForWriting(stored);
  migrate(stored);
  completeCounters(stored);
  if (!isIntact(stored, problems)) return { ok: false, root: "", count: 0, problems: problems.lines() };
  const contents = stack.use(await openContents(options));
  const checks = copyChecks(options, stored, contents, problems);
  checkQueues(stored, checks);

  const computed = openComputed(join(scratch, "messages.sqlite"), stored, checks);
  stack.defer(() => computed.close());
  const rules = stateRulesOf(options.definition, GRACE_PERIOD_MS);
  await replayMessages({
    ...options,
    ...checks,
    stored,
    computed,
    rules: { ...rules, idempotentForget: true },
  });
  adoptFunds(stored, computed, options.clock.nowMicros());
  if (rules.ledger !== null) checkLedger(stored, rules.ledger, problems);
  const computedRoot = compareRoots(stored, computed.session.connection, problems);
  compareDerived(stored, computed.session.connection, problems);

  await checkFiles(stored, contents, problems, options.signal);
  const lines = problems.lines();
  return { ok: lines.length === 0, ...computedRoot, problems: lines };
}

/**
 * A database that contradicts itself is not read any further: nothing that it says can be believed. A server looks
 * after its own pages.
 */
function isIntact(stored: SqlConnection, problems: Problems): boolean {
  if (stored.dialect.name !== "sqlite") return true;
  const found = stored.all<{ integrity_check: string }>("PRAGMA integrity_check");
  const broken = found.filter((row) => row.integrity_check !== "ok");
  for (const row of broken) problems.report("database", row.integrity_check);
  return broken.length === 0;
}

async function openContents({
  contentsFolder: folder,
  timers,
  engine,
}: VerifyOptions): Promise<ContentStore> {
  const contents = await ContentStore.open({ folder, timers, ...(engine === undefined ? {} : { engine }) });
  contents.server?.assertUsable();
  return contents;
}

function copyChecks(
  options: VerifyOptions,
  stored: SqlConnection,
  { files }: ContentStore,
  problems: Problems,
): CopyChecks {
  const crypto = createNodeCrypto();
  const { switches, limits } = options.definition;
  return {
    crypto,
    switches,
    limits,
    contractChains: contractChainsOf(options.definition),
    problems,
    reader: createCopyReader(crypto.sha256, switches, limits),
    contents: createBlobContents(stored, readBlobsFrom(files), limits),
  };
}

/** The ids that a store hands out continue from what is there, so it is opened after the seeding. */
function openComputed(path: string, stored: SqlConnection, { reader }: CopyChecks): MessageStore {
  const seeding = new SqliteConnection(path, { synchronous: "off" });
  try {
    migrate(seeding);
    seedForReplay(stored, seeding);
  } finally {
    seeding.close();
  }
  return new MessageStore({
    path,
    synchronous: "off",
    readElementFields: (envelopeText, contentText) => {
      const message = reader.prepare(envelopeText, contentText);
      if (message === null) throw new Error("A stored element has no content");
      return message.content.detail.kind === "AGGREGATE" ? message.content.detail.fields : [];
    },
  });
}

function compareRoots(
  stored: SqlConnection,
  computed: SqlConnection,
  problems: Problems,
): Pick<VerifyReport, "root" | "count"> {
  const found = new StateTree(stored, null).root();
  const expected = new StateTree(computed, null).root();
  if (found.root !== expected.root)
    problems.report("state root", `is ${found.root}, computed ${expected.root}`);
  if (found.count !== expected.count) {
    problems.report("state root", `stands for ${found.count} messages, computed ${expected.count}`);
  }
  return expected;
}
