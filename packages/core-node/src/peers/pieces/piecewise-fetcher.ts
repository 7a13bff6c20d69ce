import { join } from "node:path";
import { NetworkError } from "@twentysix/network";
import type { Logger } from "@twentysix/platform";
import { BlobError } from "@twentysix/storage";
import { ApiError } from "../../api/errors.ts";
import type { KeptFile } from "../../api/services.ts";
import type { WorkingFiles } from "../../content/working-files.ts";
import type { DiskReservation } from "../../services/budgets.ts";
import { firstFound } from "../sources/first-found.ts";
import type { SourceCredit } from "../sources/source-credit.ts";
import { askForClaim, getLeaves, type LeafPeers } from "./ask-for-leaves.ts";
import { leafCount, leafLength } from "./leaves.ts";
import { PiecePlan, type Span } from "./piece-plan.ts";
import { type LeafClaim, StagedPieces } from "./staged-pieces.ts";

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
/** Whose description of a file could not be upheld is not asked for another one for so long. */
const DENIED_MS = 600_000;
const MAX_DENIED = 4_096;
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
  /** Told of bytes that are what the claim says. */
  readonly onBytes: (bytes: number) => void;
  /** There is no room for more. */
  isFull: boolean;
}

/** What is wanted of a file. */
interface Wish extends Pick<Transfer, "signal" | "onBytes"> {
  readonly peerIds: readonly string[];
  readonly keep: KeepPieces;
}

/**
 * Gets a large file in pieces from several peers at once. The leaves that one of them claims let each piece be checked
 * as it comes; whether the claim is true shows when the whole has the SHA-256 that was asked for. If it has, whoever
 * sent other pieces lied; if it has not, whoever made the claim did. What is here outlasts a restart.
 */
export class PiecewiseFetcher {
  readonly #options: PiecewiseOptions;
  /** Room that the pieces of each file take which are here: what a peer claims beyond takes none. */
  readonly #held = new Map<string, DiskReservation>();
  readonly #running = new Set<string>();
  /** By file and peer: until when. */
  readonly #denied = new Map<string, number>();

  constructor(options: PiecewiseOptions) {
    this.#options = options;
  }

  /** Counts what is left of the last run, and removes what is too old. */
  async open(nowMs: number): Promise<void> {
    const { folder, files } = this.#options;
    await files.makeFolder(folder);
    for (const { name: hash } of await files.list(folder)) {
      const staged = await StagedPieces.reopen(files, this.#folderOf(hash));
      await staged?.[Symbol.asyncDispose]();
      if (staged === null || !this.#hold(hash, staged)) await this.#discard(hash);
    }
    await this.removeOld(nowMs);
  }

  /** Removes what nobody came back for. */
  async removeOld(nowMs: number): Promise<void> {
    const { folder, files, log } = this.#options;
    for (const { name: hash, modifiedMs } of await files.list(folder)) {
      if (this.#running.has(hash) || modifiedMs >= nowMs - MAX_AGE_MS) continue;
      log.debug("Pieces of a file are removed", { hash });
      await this.#discard(hash);
    }
  }

  /** null: it is not whole yet, or nobody has it; what is here stays for the next time. */
  async fetch(
    hash: string,
    peerIds: readonly string[],
    keep: KeepPieces,
    signal: AbortSignal,
    onBytes: (bytes: number) => void = () => undefined,
  ): Promise<KeptFile | null> {
    this.#running.add(hash);
    try {
      const pieces = await this.#pieces(hash, peerIds, signal);
      if (pieces === null) return null;
      await using _open = pieces;
      if (!this.#hold(hash, pieces) || !this.#hasRoomFor(hash, pieces)) return null;
      return await this.#fetch(hash, pieces, { peerIds, keep, signal, onBytes });
    } finally {
      this.#running.delete(hash);
    }
  }

  async #fetch(
    hash: string,
    pieces: StagedPieces,
    { peerIds, keep, signal, onBytes }: Wish,
  ): Promise<KeptFile | null> {
    const { claim, here } = pieces;
    const missing = Array.from({ length: leafCount(claim.sizeBytes) }, (_, index) => index).filter(
      (index) => !here.has(index),
    );
    const plan = new PiecePlan(missing, claim.claimant);
    const onLeaf = (bytes: number): void => {
      this.#held.get(hash)?.grow(bytes);
      onBytes(bytes);
    };
    const transfer: Transfer = {
      ...{ hash, pieces, plan, suspects: new Set(), broken: new Map() },
      ...{ signal, onBytes: onLeaf, isFull: false },
    };
    const isUpheld = await this.#getAll(transfer, peerIds.slice());
    if (!isUpheld) {
      this.#deny(hash, claim.claimant);
      await this.#discard(hash);
    }
    return isUpheld && here.size === leafCount(claim.sizeBytes) ? await this.#finish(transfer, keep) : null;
  }

  async #pieces(hash: string, peerIds: readonly string[], signal: AbortSignal): Promise<StagedPieces | null> {
    const { credit, files, timers } = this.#options;
    const staged = await StagedPieces.reopen(files, this.#folderOf(hash));
    if (staged !== null && credit.isTrusted(staged.claim.claimant)) return staged;
    await staged?.[Symbol.asyncDispose]();
    await this.#discard(hash);
    const ask = (peerId: string, stop: AbortSignal) => this.#claim(peerId, hash, stop);
    const nowMs = this.#options.clock.monotonicMs();
    const asked = peerIds.filter((peerId) => (this.#denied.get(`${hash} ${peerId}`) ?? 0) <= nowMs);
    const steady = asked.filter((peerId) => credit.isSteady(peerId));
    const others = asked.filter((peerId) => !credit.isSteady(peerId));
    const found =
      (await firstFound(steady, ask, timers, signal)) ?? (await firstFound(others, ask, timers, signal));
    if (found === null) return null;
    return await StagedPieces.create(files, this.#folderOf(hash), found.answer.claim);
  }

  /** It may have gone away before it could show what it described, so it is at fault for nothing else. */
  #deny(hash: string, peerId: string): void {
    const key = `${hash} ${peerId}`;
    this.#denied.delete(key);
    this.#denied.set(key, this.#options.clock.monotonicMs() + DENIED_MS);
    for (const oldest of this.#denied.keys()) {
      if (this.#denied.size <= MAX_DENIED) return;
      this.#denied.delete(oldest);
    }
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
    while (pieces.here.size < leafCount(sizeBytes) && !signal.aborted && !transfer.isFull) {
      const before = pieces.here.size + suspects.size + sum(broken.values());
      // Whoever made the claim is among them: it alone can settle a dispute.
      const peers = peerIds.filter(usable).sort((a, b) => Number(b === claimant) - Number(a === claimant));
      await Promise.all(peers.slice(0, MAX_PEERS).map((peerId) => this.#work(transfer, peerId)));
      if (!credit.isTrusted(claimant)) return false;
      if (pieces.here.size + suspects.size + sum(broken.values()) === before) break;
    }
    return signal.aborted || transfer.isFull || !plan.isDisputed;
  }

  /** Gets leaves from one peer for as long as it has some to get, and does. */
  async #work(transfer: Transfer, peerId: string): Promise<void> {
    const { hash, pieces, plan, suspects, broken, signal, onBytes } = transfer;
    const goesOn = (): boolean => !signal.aborted && !transfer.isFull;
    for (let span = plan.take(peerId); span !== null && goesOn(); span = plan.take(peerId)) {
      try {
        const wanted = { hash, pieces, span, onLeaf: onBytes };
        const wrong = await getLeaves(this.#options, peerId, wanted, signal);
        if (wrong === null) {
          this.#options.credit.gave(peerId);
          continue;
        }
        this.#left(transfer, span);
        plan.dispute(wrong);
        if (peerId === pieces.claim.claimant) this.#options.credit.wrong(peerId, hash);
        else suspects.add(peerId);
        return;
      } catch (error) {
        this.#left(transfer, span);
        if (error instanceof ApiError) {
          transfer.isFull = true;
          this.#options.log.warn("There is no room for more of a file of a peer", { hash, error });
          return;
        }
        if (!signal.aborted && !(error instanceof NetworkError)) throw error;
        this.#options.log.debug("A peer broke off within a file", { hash, peerId, error });
        broken.set(peerId, (broken.get(peerId) ?? 0) + 1);
        if (!signal.aborted) this.#options.credit.brokeOff(peerId);
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

  /** Counts what is here of a file. False: there is no room for it. */
  #hold(hash: string, pieces: StagedPieces): boolean {
    this.#held.get(hash)?.[Symbol.dispose]();
    this.#held.delete(hash);
    const reservation = this.#options.reserveDisk();
    if (!this.#canGrow(hash, reservation, bytesHere(pieces))) return false;
    this.#held.set(hash, reservation);
    return true;
  }

  /** Nothing is begun that could not be finished as things stand. */
  #hasRoomFor(hash: string, pieces: StagedPieces): boolean {
    using attempt = this.#options.reserveDisk();
    return this.#canGrow(hash, attempt, pieces.claim.sizeBytes - bytesHere(pieces));
  }

  #canGrow(hash: string, reservation: DiskReservation, sizeBytes: number): boolean {
    try {
      reservation.grow(sizeBytes);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#options.log.warn("There is no room for a file of a peer", { hash, sizeBytes, error });
      return false;
    }
  }

  async #discard(hash: string): Promise<void> {
    await this.#options.files.remove(this.#folderOf(hash));
    this.#held.get(hash)?.[Symbol.dispose]();
    this.#held.delete(hash);
  }

  #folderOf(hash: string): string {
    return join(this.#options.folder, hash);
  }
}

const bytesHere = ({ here, claim }: StagedPieces): number =>
  sum([...here].map((index) => leafLength(claim.sizeBytes, index)));

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, one) => all + one, 0);
