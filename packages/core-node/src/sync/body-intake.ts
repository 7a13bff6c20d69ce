import { PeerFault } from "@twentysix/network/reconcile";
import type { Timers } from "@twentysix/platform";
import {
  type Envelope,
  encodeHex,
  encodeItemHash,
  type NetworkDefinition,
  parseEnvelope,
} from "@twentysix/protocol";
import { createNodeCrypto } from "@twentysix/protocol/node";
import type { Skeleton } from "@twentysix/state";
import type { ContentStore, HeldFile, Status } from "@twentysix/storage";
import { type ArchiveLine, readArchiveLine } from "../archive/archive-line.ts";
import { keepContent } from "../archive/held-content.ts";
import { InFlight } from "../archive/in-flight.ts";
import { readNdjsonLines } from "../archive/ndjson-lines.ts";
import { SkeletonIntake } from "../archive/skeleton-intake.ts";
import { PipelineError } from "../pipeline/errors.ts";
import type { CopyResult } from "../pipeline/writer/jobs.ts";
import type { OwnTree } from "./own-tree.ts";
import { MAX_BODIES_BYTES } from "./sync-protocol.ts";

/** What goes with the text of a message. */
export interface SubmittedAlong {
  readonly skeletons: readonly Skeleton[];
  /** It is one of many. */
  readonly isBulk: boolean;
}

/** The doors of this node through which everything of a peer goes. */
export interface IntakeServices {
  readonly submit: (text: string, along: SubmittedAlong) => Promise<CopyResult>;
  readonly contents: ContentStore;
  readonly isRegistered: (fileHash: string) => Promise<boolean>;
  /** Of a content whose message is not accepted so far. */
  readonly registerFile: (file: HeldFile) => Promise<void>;
  readonly tree: OwnTree;
  readonly definition: Pick<NetworkDefinition, "switches" | "limits">;
  readonly timers: Pick<Timers, "sleep">;
}

/** Keys of messages of which a copy was accepted, by which they became known here. */
export type TakenKeys = ReadonlySet<string>;

/** Which of these forgotten messages are believed to be forgotten. */
export type ConfirmForgotten = (itemHashes: readonly string[]) => Promise<ReadonlySet<string>>;

/** Few enough that other sources get their places in the pipeline. */
const IN_FLIGHT = { maxCount: 2_048, maxBytes: 8 * 1024 * 1024 };
/** Until the pipeline is asked again when it is full. */
const FULL_PAUSE_MS = 100;
/** Statuses asked for at once. */
const STATUSES_AT_ONCE = 1_024;

const SETTLED: ReadonlySet<Status | null> = new Set(["processed", "forgotten", "removing", "removed"]);

type MessageLine = Extract<ArchiveLine, { kind: "message" }>;
type BodyLine = MessageLine | Extract<ArchiveLine, { kind: "skeleton" }>;

/**
 * Takes what a peer tells of messages to the pipeline, which verifies it like everything else. What is left of
 * forgotten messages is laid beside the FORGET that follows, when it is believed.
 */
export class BodyIntake {
  readonly #services: IntakeServices;
  readonly #inFlight = new InFlight(IN_FLIGHT);

  constructor(services: IntakeServices) {
    this.#services = services;
  }

  /**
   * Resolves when all of it is handed over. What it gives resolves when all of it is decided and durable.
   *
   * @throws PeerFault for what no honest node keeps; the signal's reason
   */
  async take(
    bytes: Uint8Array,
    confirm: ConfirmForgotten,
    isBulk: boolean,
    signal: AbortSignal,
  ): Promise<{ readonly decided: Promise<TakenKeys> }> {
    const lines = await readLines(bytes);
    const skeletons = await this.#skeletonsFor(lines, confirm, signal);
    const decisions: Promise<string | null>[] = [];
    for (const [index, line] of lines.entries()) {
      signal.throwIfAborted();
      if (line.kind === "skeleton") {
        const reason = skeletons.take(line.skeleton, index);
        if (reason !== null) throw new PeerFault(`the peer tells of ${line.skeleton.hash}: ${reason}`);
        continue;
      }
      await this.#storeContent(line);
      const beside = line.envelopeText.includes('"FORGET"') ? skeletons.release() : [];
      const along = { skeletons: beside.map(({ hash, message }) => ({ hash, message })), isBulk };
      await this.#inFlight.start(line.envelopeText.length, async () => {
        const decision = this.#submit(line.envelopeText, along, signal);
        decisions.push(decision);
        await decision.catch(() => undefined); // Whoever waits for the decisions hears of it.
      });
    }
    const decided = Promise.all(decisions).then((keys) => new Set(keys.filter((key) => key !== null)));
    decided.catch(() => undefined); // As above: it may be asked for only later.
    return { decided };
  }

  /** The key of a message that it made known here. */
  async #submit(text: string, along: SubmittedAlong, signal: AbortSignal): Promise<string | null> {
    for (;;) {
      try {
        const { refused, itemHash, status, known, errorText } = await this.#services.submit(text, along);
        // Vouched for by a transaction of a chain, which comes by itself.
        if (refused && this.#envelopeOf(text)?.signature !== null)
          throw new PeerFault(`the peer sent a message that nobody can accept: ${itemHash} ${errorText}`);
        const isTaken = status === "processed" && !known && itemHash !== null;
        return isTaken ? encodeHex(encodeItemHash(itemHash)) : null;
      } catch (error) {
        if (!(error instanceof PipelineError) || error.code !== "PIPELINE_QUEUE_FULL") throw error;
        await this.#services.timers.sleep(FULL_PAUSE_MS, signal);
      }
    }
  }

  /** Takes the skeletons of these lines that are news, and believed. */
  async #skeletonsFor(
    lines: readonly BodyLine[],
    confirm: ConfirmForgotten,
    signal: AbortSignal,
  ): Promise<Pick<SkeletonIntake, "take" | "release">> {
    const { tree, definition } = this.#services;
    const hashes = lines.flatMap((line) => (line.kind === "skeleton" ? [line.skeleton.hash] : []));
    const known = new Map<string, Status | null>();
    for (let at = 0; at < hashes.length; at += STATUSES_AT_ONCE) {
      const asked = hashes.slice(at, at + STATUSES_AT_ONCE);
      const statuses = await tree.statuses(asked, signal);
      asked.forEach((hash, index) => {
        known.set(hash, statuses[index] ?? null);
      });
    }
    const news = hashes.filter((hash) => !SETTLED.has(known.get(hash) ?? null));
    const believed = news.length === 0 ? new Set<string>() : await confirm(news);
    const intake = new SkeletonIntake({
      crypto: createNodeCrypto(),
      switches: definition.switches,
      isTrusted: true,
      statusOf: (itemHash) => known.get(itemHash) ?? null,
    });
    return {
      take: (skeleton, line) => (believed.has(skeleton.hash) ? intake.take(skeleton, line) : null),
      release: () => intake.release(),
    };
  }

  /** Stores the content that travels in the line of its message. */
  async #storeContent({ envelopeText, content }: MessageLine): Promise<void> {
    if (content === null) return;
    const envelope = this.#envelopeOf(envelopeText);
    if (envelope === null || envelope.itemType === "inline") return;
    const { contents, isRegistered, registerFile } = this.#services;
    if (await isRegistered(envelope.itemHash)) return;
    const file = await keepContent(contents, envelope.itemType, envelope.itemHash, content);
    if (file === null)
      throw new PeerFault(`the peer sent a content of ${envelope.itemHash} that has not this hash`);
    await registerFile(file);
  }

  /** Only what the envelope names is looked at: the pipeline judges it. */
  #envelopeOf(text: string): Envelope | null {
    const { switches, limits } = this.#services.definition;
    const maxItemContentCharacters = limits.itemContentCharacters;
    const read = parseEnvelope(text, { trusted: true, switches, maxItemContentCharacters });
    return read.ok ? read.envelope : null;
  }
}

async function readLines(bytes: Uint8Array): Promise<BodyLine[]> {
  const lines: BodyLine[] = [];
  for await (const { text } of readNdjsonLines(once(bytes), MAX_BODIES_BYTES)) {
    const line: ArchiveLine =
      text === null ? { kind: "malformed", reason: "not UTF-8" } : readArchiveLine(text);
    if (line.kind === "malformed") throw new PeerFault(`the peer sent a line that is none: ${line.reason}`);
    if (line.kind === "file") throw new PeerFault("the peer sent a file among messages");
    lines.push(line);
  }
  return lines;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
