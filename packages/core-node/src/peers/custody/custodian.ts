import type { Timers } from "@twentysix/platform";
import { type Durability, type DurabilityClass, durabilityOf } from "@twentysix/protocol";
import type { FileRecords, KeptFileRecord } from "@twentysix/storage";
import { lookAfterCopies } from "./copy-custody.ts";
import type { CustodyParts } from "./custody-parts.ts";
import { lookAfterShards } from "./shard-custody.ts";

export interface CustodianOptions {
  readonly durability: Durability;
  readonly parts: Omit<CustodyParts, "signal">;
  readonly records: Pick<FileRecords, "keptFiles" | "keptFile">;
  readonly timers: Timers;
}

const SLICE = 16;
/** Challenges of one turn, where files have places, and where everybody keeps everything. */
const MAX_CHALLENGES = 16;
const MAX_CHALLENGES_OF_EVERYONE = 1;
const PERIOD_MS = 1_000;
/** Between two passes over all files. */
const PASS_PAUSE_MS = 5_000;
/** A pass begins so many times at least until a proof is too old. */
const PASSES_PER_AUDIT = 4;
/** Of a file in one turn: to name its shards, to keep its own, to hear of the others. */
const MAX_STEPS = 3;

/**
 * Keeps of each stored file what the network says, and no more. A node that something is placed on gets it; each node
 * challenges those that it counts on; one that keeps something without need gives it up only once those that it is
 * placed on have proven that they hold it, and never on the strength of where it should be.
 */
export class Custodian {
  readonly #options: CustodianOptions;
  readonly #parts: CustodyParts;
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;
  #afterId = 0;
  #pauseUntilMs = 0;
  #isShortOfRoom = false;

  constructor(options: CustodianOptions) {
    this.#options = options;
    this.#parts = { ...options.parts, signal: this.#ended.signal };
    this.#done = options.timers.every(PERIOD_MS, () => this.#look(), {
      signal: this.#ended.signal,
      onError: (error) => options.parts.log.error("Looking after stored files failed", { error }),
    });
  }

  /** Nodes came or went: files are looked at anew without waiting for the next pass. */
  membersChanged(): void {
    this.#pauseUntilMs = 0;
    this.#parts.backOff.clear();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#done;
  }

  async #look(): Promise<void> {
    const { records, durability } = this.#options;
    const { clock, audits, pressure } = this.#parts;
    const isShort = pressure.isHigh;
    // The oldest go first.
    if (isShort && !this.#isShortOfRoom) this.#afterId = 0;
    this.#isShortOfRoom = isShort;
    if (!isShort && clock.monotonicMs() < this.#pauseUntilMs) return;
    const files = await records.keptFiles(this.#afterId, SLICE);
    if (files.length === 0) {
      this.#afterId = 0;
      const pauseMs = Math.min(PASS_PAUSE_MS, (durability.auditSeconds * 1_000) / PASSES_PER_AUDIT);
      this.#pauseUntilMs = clock.monotonicMs() + pauseMs;
    }
    const isEverywhere = durability.copies === null && durability.erasure === undefined && !isShort;
    audits.beginTurn(isEverywhere ? MAX_CHALLENGES_OF_EVERYONE : MAX_CHALLENGES);
    for (const [index, file] of files.entries()) {
      if (this.#ended.signal.aborted || audits.areSpent) return;
      await this.#tryToLookAfter(file);
      // The next turn begins with what this one had no challenges left for, unless it had them all.
      if (index > 0 && audits.wasCutShort) return;
      this.#afterId = file.id;
    }
  }

  /** One file that cannot be looked after, by a bad disk or a defect, must not keep the others from it. */
  async #tryToLookAfter(file: KeptFileRecord): Promise<void> {
    const { backOff, log } = this.#parts;
    const key = `care ${file.name}`;
    if (!backOff.isDue(key)) return;
    try {
      await this.#lookAfter(file);
      backOff.succeeded(key);
    } catch (error) {
      if (this.#ended.signal.aborted) throw error;
      backOff.failed(key);
      log.error("Looking after a stored file failed", { name: file.name, error });
    }
  }

  async #lookAfter(file: KeptFileRecord): Promise<void> {
    const rule = ruleOf(this.#options.durability, file);
    if (rule.kind === "copies") {
      await lookAfterCopies(this.#parts, file, rule.copies);
      return;
    }
    let current: KeptFileRecord | null = file;
    for (let step = 0; step < MAX_STEPS && current !== null; step += 1) {
      if (!(await lookAfterShards(this.#parts, current, rule))) return;
      current = await this.#options.records.keptFile(file.name);
    }
  }
}

/** How a file is kept. What a message says is with every node. */
export function ruleOf(
  durability: Durability,
  { isContent, sizeBytes }: Pick<KeptFileRecord, "isContent" | "sizeBytes">,
): DurabilityClass {
  return isContent ? { kind: "copies", copies: null } : durabilityOf(durability, sizeBytes);
}
