import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Logger, Random } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import { createNodeCrypto } from "@twentysix/protocol/node";
import { MessageStore, StateTree } from "@twentysix/storage";
import { createCopyReader } from "../pipeline/copy-reader.ts";
import { stateRulesOf } from "../pipeline/state-rules.ts";
import { compareDerived } from "./compare-derived.ts";
import { replayMessages } from "./replay-messages.ts";

export interface VerifyOptions {
  readonly databasePath: string;
  /** Folder for the database that is computed anew; removed at the end. */
  readonly scratchFolder: string;
  readonly definition: NetworkDefinition;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly root: string;
  readonly count: number;
  /** What differs, one line each. */
  readonly problems: readonly string[];
}

/**
 * Computes everything again from the stored messages: hashes and signatures of all copies, the state in a fresh
 * database, its root, and every derived table; and compares it with what is stored.
 */
export async function verifyData(options: VerifyOptions): Promise<VerifyReport> {
  const scratch = await mkdtemp(join(options.scratchFolder, "verify-"));
  const stored = openStore(options.databasePath, options.definition);
  const computed = openStore(join(scratch, "messages.sqlite"), options.definition);
  try {
    const problems: string[] = [];
    await replayMessages({
      stored: stored.session.connection,
      computed,
      reader: copyReader(options.definition),
      rules: { ...stateRulesOf(options.definition, 24), idempotentForget: true },
      crypto: createNodeCrypto(),
      switches: options.definition.switches,
      clock: options.clock,
      random: options.random,
      log: options.log,
      signal: options.signal,
      problem: (text) => problems.push(text),
    });
    const storedRoot = new StateTree(stored.session.connection).root();
    const computedRoot = new StateTree(computed.session.connection).root();
    if (storedRoot.root !== computedRoot.root) {
      problems.push(`state root: stored ${storedRoot.root}, computed ${computedRoot.root}`);
    }
    if (storedRoot.count !== computedRoot.count) {
      problems.push(`messages in the state: stored ${storedRoot.count}, computed ${computedRoot.count}`);
    }
    problems.push(...compareDerived(stored.session.connection, computed.session.connection));
    return { ok: problems.length === 0, root: computedRoot.root, count: computedRoot.count, problems };
  } finally {
    stored.close();
    computed.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function copyReader(definition: NetworkDefinition): ReturnType<typeof createCopyReader> {
  return createCopyReader(createNodeCrypto().sha256, definition.switches);
}

function openStore(path: string, definition: NetworkDefinition): MessageStore {
  const reader = copyReader(definition);
  return new MessageStore({
    path,
    readElementFields: (envelopeText, contentText) => {
      const message = reader.prepare(envelopeText, contentText);
      if (message === null) throw new Error("A stored element has no content");
      return message.content.detail.kind === "AGGREGATE" ? message.content.detail.fields : [];
    },
  });
}
