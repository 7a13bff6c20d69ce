import { join } from "node:path";
import { NetworkError } from "@twentysix/network";
import type { Logger } from "@twentysix/platform";
import { BlobError } from "@twentysix/storage";
import type { KeptFile } from "../../api/services.ts";
import type { WorkingFiles } from "../../content/working-files.ts";
import type { DiskReservation } from "../../services/budgets.ts";
import { firstFound } from "../sources/first-found.ts";
import type { SourceCredit } from "../sources/source-credit.ts";
import { askForClaim, getLeaves, type LeafPeers } from "./ask-for-leaves.ts";
import { leafCount } from "./leaves.ts";
import { PiecePlan, type Span } from "./piece-plan.ts";
import { type LeafClaim, readClaim, StagedPieces } from "./staged-pieces.ts";

export interface PiecewiseOptions extends LeafPeers {
  /** Where pieces are kept until their file is whole. */
  readonly folder: string;
  readonly files: WorkingFiles;
  readonly maxFileBytes: number;
  readonly reserveDisk: () => DiskReservation;
  readonly credit: SourceCredit;
  readonly log: Logger;
}

/** Peers that one file is got from at once. */
const MAX_PEERS = 4;
/** Streams of a peer that may break before it is given up for a file. */
const MAX_BROKEN = 3;
/** To tell of the leaves, a peer may have to read the file. */
const CLAIM_TIMEOUT_MS = 60_000;
/** Pieces of a file that nobody came back for are removed after so long. */
const MAX_AGE_MS = 3 * 86_400_000;

/** Keeps a whole file under its hash. @throws BlobError BLOB_HASH_MISMATCH for another one */
export type KeepPieces = (hash: string, bytes: () => AsyncIterable<Uint8Array>) => Promise<KeptFile>;

/** One file on its way. */
interface Transfer {
  readonly hash: string;
  readonly pieces: StagedPieces;
  readonly plan: PiecePlan;
  /** Who sent what the claim denies. Whether they are at fault shows when the file is whole. */
  readonly suspects: Set<string>;
  /** Streams that broke, by peer. */
  readonly broken: Map<string, number>;
  readonly signal: AbortSignal;
}

/**
 * Gets a large file in pieces from several peers at once. The leaves that one of them claims let each piece be checked
 * as it comes; whether the claim is true shows when the whole has the SHA-256 that was asked for. If it has, whoever
 * sent other pieces lied; if it has not, whoever made the claim did. What is here outlasts a restart.
 */
export class PiecewiseFetcher {
  readonly #options: PiecewiseOptions;
  readonly #reserved = new Map<string, DiskReservation>();

  constructor(options: PiecewiseOptions) {
    this.#options = options;
  }

  /** Counts what is left of the last run, and removes what is too old. */
  async open(nowMs: number): Promise<void> {
    const { folder, files, log } = this.#options;
    await files.makeFolder(folder);
    for (const { name: hash, modifiedMs } of await files.list(folder)) {
      const claim = await readClaim(files, this.#folderOf(hash));
      if (claim === null || modifiedMs < nowMs - MAX_AGE_MS || !this.#reserve(hash, claim)) {
        log.debug("Pieces of a file are removed", { hash });
        await files.remove(this.#folderOf(hash));
      }
    }
  }

  /** null: it is not whole yet, or nobody has it; what is here stays for the next time. */
  async fetch(
    hash: string,
    peerIds: readonly string[],
    keep: KeepPieces,
    signal: AbortSignal,
  ): Promise<KeptFile | null> {
    const pieces = await this.#pieces(hash, peerIds, signal);
    if (pieces === null) return null;
    await using _open = pieces;
    const { claim, here } = pieces;
    const missing = Array.from({ length: leafCount(claim.sizeBytes) }, (_, index) => index).filter(
      (index) => !here.has(index),
    );
    const plan = new PiecePlan(missing, claim.claimant);
    const transfer = { hash, pieces, plan, suspects: new Set<string>(), broken: new Map(), signal };
    const isUpheld = await this.#getAll(transfer, peerIds.slice());
    if (!isUpheld) await this.#discard(hash);
    return isUpheld && here.size === leafCount(claim.sizeBytes) ? await this.#finish(transfer, keep) : null;
  }

  async #pieces(hash: string, peerIds: readonly string[], signal: AbortSignal): Promise<StagedPieces | null> {
    const { credit, files, timers } = this.#options;
    const staged = await StagedPieces.reopen(files, this.#folderOf(hash));
    if (staged !== null && credit.isTrusted(staged.claim.claimant)) return staged;
    await staged?.[Symbol.asyncDispose]();
    await this.#discard(hash);
    const ask = (peerId: string, stop: AbortSignal) => this.#claim(peerId, hash, stop);
    const found = await firstFound(peerIds, ask, timers, signal);
    if (found === null || !this.#reserve(hash, found.answer.claim)) return null;
    return await StagedPieces.create(files, this.#folderOf(hash), found.answer.claim);
  }

  async #claim(
    peerId: string,
    hash: string,
    signal: AbortSignal,
  ): Promise<{ readonly claim: LeafClaim; end(): void } | null> {
    const { timers, maxFileBytes, log } = this.#options;
    try {
      const claim = await timers.withTimeout(
        CLAIM_TIMEOUT_MS,
        (stop) => askForClaim(this.#options, peerId, hash, maxFileBytes, stop),
        signal,
      );
      return claim === null ? null : { claim, end: () => undefined };
    } catch (error) {
      log.debug("A peer does not tell the leaves of a file", { hash, peerId, error });
      return null;
    }
  }

  /** false: the claim cannot be upheld. */
  async #getAll(transfer: Transfer, peerIds: readonly string[]): Promise<boolean> {
    const { credit } = this.#options;
    const { pieces, plan, suspects, broken, signal } = transfer;
    const { claimant, sizeBytes } = pieces.claim;
    const usable = (peerId: string): boolean =>
      credit.isTrusted(peerId) && !suspects.has(peerId) && (broken.get(peerId) ?? 0) < MAX_BROKEN;
    while (pieces.here.size < leafCount(sizeBytes) && !signal.aborted) {
      const before = pieces.here.size + suspects.size + sum(broken.values());
      // Whoever made the claim is among them: it alone can settle a dispute.
      const peers = peerIds.filter(usable).sort((a, b) => Number(b === claimant) - Number(a === claimant));
      await Promise.all(peers.slice(0, MAX_PEERS).map((peerId) => this.#work(transfer, peerId)));
      if (!credit.isTrusted(claimant)) return false;
      if (pieces.here.size + suspects.size + sum(broken.values()) === before) break;
    }
    return signal.aborted || !plan.isDisputed;
  }

  /** Gets leaves from one peer for as long as it has some to get, and does. */
  async #work(transfer: Transfer, peerId: string): Promise<void> {
    const { hash, pieces, plan, suspects, broken, signal } = transfer;
    for (let span = plan.take(peerId); span !== null && !signal.aborted; span = plan.take(peerId)) {
      try {
        const wrong = await getLeaves(this.#options, peerId, hash, pieces, span, signal);
        if (wrong === null) continue;
        this.#left(transfer, span);
        plan.dispute(wrong);
        if (peerId === pieces.claim.claimant) this.#options.credit.wrong(peerId, hash);
        else suspects.add(peerId);
        return;
      } catch (error) {
        this.#left(transfer, span);
        if (!signal.aborted && !(error instanceof NetworkError)) throw error;
        this.#options.log.debug("A peer broke off within a file", { hash, peerId, error });
        broken.set(peerId, (broken.get(peerId) ?? 0) + 1);
        return;
      }
    }
  }

  /** What of a span did not come is wanted again. */
  #left({ pieces, plan }: Transfer, { from, to }: Span): void {
    for (let index = from; index < to; index += 1)
      if (!pieces.here.has(index)) plan.giveBack({ from: index, to: index + 1 });
  }

  async #finish({ hash, pieces, suspects }: Transfer, keep: KeepPieces): Promise<KeptFile | null> {
    const { credit, log } = this.#options;
    try {
      const kept = await keep(hash, () => pieces.read());
      for (const peerId of suspects) credit.wrong(peerId, hash);
      await this.#discard(hash);
      return kept;
    } catch (error) {
      if (!(error instanceof BlobError && error.code === "BLOB_HASH_MISMATCH")) throw error;
      const { claimant } = pieces.claim;
      log.debug("The leaves that a peer told are not those of the file", { hash, peerId: claimant });
      credit.wrong(claimant, hash);
      await this.#discard(hash);
      return null;
    }
  }

  #reserve(hash: string, { sizeBytes }: LeafClaim): boolean {
    const reservation = this.#options.reserveDisk();
    try {
      reservation.grow(sizeBytes);
    } catch (error) {
      this.#options.log.warn("There is no room for a file of a peer", { hash, sizeBytes, error });
      return false;
    }
    this.#reserved.get(hash)?.[Symbol.dispose]();
    this.#reserved.set(hash, reservation);
    return true;
  }

  async #discard(hash: string): Promise<void> {
    await this.#options.files.remove(this.#folderOf(hash));
    this.#reserved.get(hash)?.[Symbol.dispose]();
    this.#reserved.delete(hash);
  }

  #folderOf(hash: string): string {
    return join(this.#options.folder, hash);
  }
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, one) => all + one, 0);
