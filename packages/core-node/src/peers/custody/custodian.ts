import { NetworkError, type PeerStreams, placesOf } from "@twentysix/network";
import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import type { Durability } from "@twentysix/protocol";
import {
  assertPossession,
  BlobError,
  type ContentStore,
  type FileNote,
  type FileProof,
  type FileRecords,
  type KeptFileRecord,
} from "@twentysix/storage";
import type { FileHolds } from "../../content/file-holds.ts";
import { askForProof } from "./proof-protocol.ts";
import type { StorageNodes } from "./storage-nodes.ts";

export interface CustodianOptions {
  readonly durability: Durability;
  readonly nodes: StorageNodes;
  readonly streams: PeerStreams;
  readonly records: Pick<FileRecords, "keptFiles" | "isRegisteredByCid">;
  readonly contents: ContentStore;
  readonly holds: FileHolds;
  readonly note: (note: FileNote) => Promise<void>;
  /** Gets a file from whoever has it. */
  readonly fetch: (name: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

export interface CustodianFigures {
  readonly proofs: number;
  readonly failedProofs: number;
  readonly repairs: number;
  readonly evictions: number;
}

const SLICE = 16;
/** Challenges of one turn, where files have places, and where everybody keeps everything. */
const MAX_CHALLENGES = 16;
const MAX_CHALLENGES_OF_EVERYONE = 1;
const PERIOD_MS = 1_000;
/** Between two passes over all files. */
const PASS_PAUSE_MS = 5_000;
const PROOF_TIMEOUT_MS = 30_000;
const NONCE_BYTES = 32;
/** A node that could not prove that it holds a file is not counted on for it during so many audits. */
const DISTRUSTED_AUDITS = 10;
const MAX_DISTRUSTED = 10_000;

/**
 * Keeps as many copies of each stored file as the network says, and no more. A node that a file is placed on gets it;
 * each node challenges those that it counts on; one that keeps a file without need gives it up only once all of its
 * places have proven that they hold it, and never on the strength of where it should be.
 */
export class Custodian {
  readonly #options: CustodianOptions;
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;
  readonly #figures = { proofs: 0, failedProofs: 0, repairs: 0, evictions: 0 };
  /** By file and node, until when. */
  readonly #distrusted = new Map<string, number>();
  #challengesLeft = 0;
  #afterId = 0;
  #pauseUntilMs = 0;

  constructor(options: CustodianOptions) {
    this.#options = options;
    this.#done = options.timers.every(PERIOD_MS, () => this.#look(), {
      signal: this.#ended.signal,
      onError: (error) => options.log.error("Looking after stored files failed", { error }),
    });
  }

  figures(): CustodianFigures {
    return { ...this.#figures };
  }

  /** Nodes came or went: files are looked at anew without waiting for the next pass. */
  membersChanged(): void {
    this.#pauseUntilMs = 0;
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#done;
  }

  async #look(): Promise<void> {
    const { records, clock } = this.#options;
    if (clock.monotonicMs() < this.#pauseUntilMs) return;
    const files = await records.keptFiles(this.#afterId, SLICE);
    if (files.length === 0) {
      this.#afterId = 0;
      this.#pauseUntilMs = clock.monotonicMs() + PASS_PAUSE_MS;
    }
    this.#challengesLeft = this.#copies === null ? MAX_CHALLENGES_OF_EVERYONE : MAX_CHALLENGES;
    for (const file of files) {
      if (this.#ended.signal.aborted || this.#challengesLeft <= 0) return;
      await this.#lookAfter(file);
      this.#afterId = file.id;
    }
  }

  get #copies(): number | null {
    return this.#options.durability.copies;
  }

  async #lookAfter(file: KeptFileRecord): Promise<void> {
    const { nodes } = this.#options;
    const all = nodes.all().filter(({ peerId }) => !this.#isDistrusted(file.name, peerId));
    const copies = this.#copies;
    const places = copies === null ? all.map(({ peerId }) => peerId) : placesOf(file.name, all, copies);
    const isMine = places.includes(nodes.self);
    if (isMine && file.damage !== null) {
      await this.#repair(file);
      return;
    }
    const others = places.filter((peerId) => peerId !== nodes.self);
    const proven = await this.#audit(file, others);
    if (copies === null || isMine || file.damage !== null || file.isContent) return;
    if (proven >= copies) await this.#giveUp(file);
  }

  #isDistrusted(name: string, peerId: string): boolean {
    const key = `${name} ${peerId}`;
    const untilMs = this.#distrusted.get(key);
    if (untilMs === undefined) return false;
    if (untilMs > this.#options.clock.monotonicMs()) return true;
    this.#distrusted.delete(key);
    return false;
  }

  #distrust(name: string, peerId: string): void {
    const { clock, durability } = this.#options;
    for (const oldest of this.#distrusted.keys()) {
      if (this.#distrusted.size < MAX_DISTRUSTED) break;
      this.#distrusted.delete(oldest);
    }
    const forMs = DISTRUSTED_AUDITS * durability.auditSeconds * 1_000;
    this.#distrusted.set(`${name} ${peerId}`, clock.monotonicMs() + forMs);
  }

  async #repair({ name }: KeptFileRecord): Promise<void> {
    if (!(await this.#options.fetch(name))) return;
    this.#figures.repairs += 1;
    this.#options.log.info("A file that is kept here was got from another node", { name });
  }

  /** Challenges those whose proof is old; says how many have a fresh one. */
  async #audit(file: KeptFileRecord, peers: readonly string[]): Promise<number> {
    const { durability, nodes, note, clock } = this.#options;
    const { root } = file;
    if (root === null) return 0;
    const maxAgeMicros = BigInt(durability.auditSeconds) * 1_000_000n;
    const known = new Map(file.proofs.map(({ peerId, provenMicros }) => [peerId, provenMicros]));
    const proofs: FileProof[] = [];
    let proven = 0;
    for (const peerId of peers) {
      const ageMicros = clock.nowMicros() - (known.get(peerId) ?? 0n);
      if (ageMicros < maxAgeMicros) {
        proven += 1;
        continue;
      }
      if (!nodes.isConnected(peerId) || this.#challengesLeft <= 0) continue;
      this.#challengesLeft -= 1;
      const isProven = await this.#challenge(peerId, file.name, root);
      if (isProven === null) continue;
      proofs.push({ name: file.name, position: null, peerId, provenMicros: isProven ? clock.nowMicros() : null });
      if (isProven) proven += 1;
      else this.#distrust(file.name, peerId);
    }
    if (proofs.length > 0) await note({ kind: "proofs", proofs });
    return proven;
  }

  /** null: the peer could not be asked, which says nothing. */
  async #challenge(peerId: string, name: string, root: string): Promise<boolean | null> {
    const { streams, random, timers, log } = this.#options;
    const nonce = Buffer.from(random.randomBytes(NONCE_BYTES)).toString("hex");
    try {
      const proof = await timers.withTimeout(
        PROOF_TIMEOUT_MS,
        (signal) => askForProof(streams, peerId, { name, root, nonce }, signal),
        this.#ended.signal,
      );
      if (proof !== null) assertPossession(root, Buffer.from(nonce, "hex"), proof);
      this.#figures[proof === null ? "failedProofs" : "proofs"] += 1;
      return proof !== null;
    } catch (error) {
      if (error instanceof BlobError) {
        this.#figures.failedProofs += 1;
        log.warn("A peer claims to hold a file and cannot prove it", { peerId, name, error });
        return false;
      }
      if (!(error instanceof NetworkError) && !this.#ended.signal.aborted)
        log.debug("A peer could not be challenged", { peerId, name, error });
      return null;
    }
  }

  async #giveUp({ name, root }: KeptFileRecord): Promise<void> {
    const { holds, records, contents, note, log } = this.#options;
    // Other files may stand on the same bytes.
    if (await records.isRegisteredByCid(name)) return;
    using held = holds.takeForDeletion(name) ?? undefined;
    if (held === undefined) return;
    await note({ kind: "elsewhere", names: [name] });
    if (root !== null && root !== name && (await contents.index.find(root)) !== undefined)
      await contents.remove(root);
    await contents.remove(name);
    this.#figures.evictions += 1;
    log.info("A file was given up here: others have proven that they keep it", { name });
  }
}
