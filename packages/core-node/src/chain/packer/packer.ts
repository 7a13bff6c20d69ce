import { encodeEmit } from "@twentysix/contracts";
import type { Clock, Logger } from "@twentysix/platform";
import type { ChainSync } from "@twentysix/protocol";
import type { ChainChange, ChainRecordReads, Pack, PackState, PackTransaction } from "@twentysix/storage";
import type { ArchiveFiles } from "../archive-file.ts";
import { RpcRefusal } from "../evm/json-rpc.ts";
import { archivePayload } from "../sync-payload.ts";
import { ARCHIVE_LIMITS, type ArchiveLimits, type BuiltArchive, buildArchive } from "./archive-builder.ts";
import { type EvmSender, feesOf } from "./evm-sender.ts";
import { ceilingOf, type Fees, replacing } from "./fees.ts";
import { mayPack, type TurnRules } from "./turns.ts";

/** When archives are written and what they may cost. */
export interface PackingRules extends TurnRules, ArchiveLimits {
  /** Between two looks at what is unconfirmed. */
  readonly periodMs: number;
  /** Peers that were visited within that time are not asked once more for what they have before something is packed. */
  readonly freshMs: number;
  /** Age of a transaction at which it is sent again with higher fees. */
  readonly stuckMs: number;
  /** Age of a pack at which its messages go into another one, with the same nonce. */
  readonly expiryMs: number;
  /** In the smallest unit of the chain. */
  readonly maxFeePerGas: bigint;
}

export const PACKING_RULES: PackingRules = {
  ...ARCHIVE_LIMITS,
  periodMs: 35_000,
  freshMs: 30_000,
  stuckMs: 3 * 60_000,
  expiryMs: 6 * 3_600_000,
  maxFeePerGas: 150_000_000_000n,
  takeOverMs: 15 * 60_000,
  handoverMs: 5 * 60_000,
};

export interface PackerOptions {
  readonly chain: string;
  readonly sync: ChainSync;
  readonly sender: EvmSender;
  readonly records: Pick<
    ChainRecordReads,
    "openPacks" | "packOfNonce" | "isTaken" | "unconfirmed" | "hasUntried"
  >;
  readonly change: (change: ChainChange) => Promise<void>;
  readonly archives: Pick<ArchiveFiles, "store">;
  /** Takes in what peers have that were not visited for so long; comes to an end whatever they do. */
  readonly collect: (freshMs: number, signal: AbortSignal) => Promise<void>;
  /** The chain was read to its end: what it confirms is known. */
  readonly isInSync: () => boolean;
  readonly rules: PackingRules;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Packs that are mined and not yet read back, at once. */
const MAX_MINED = 4;
/** A nonce that is used up without a receipt of ours may be a server that lags: so often it must be seen. */
const SURE_ROUNDS = 3;

/**
 * Anchors what no chain confirms. Whatever is sent is written down before, signed, so that a crash at any moment
 * neither loses an archive nor pays for one twice.
 */
export class Packer {
  readonly #options: PackerOptions;
  readonly #usedNonces = new Map<string, number>();
  #packed = 0;

  constructor(options: PackerOptions) {
    this.#options = options;
  }

  /** Archives sent since the start. */
  get packed(): number {
    return this.#packed;
  }

  /** Follows up what was sent, and sends what is to be sent: one archive at most. */
  async round(signal: AbortSignal): Promise<void> {
    const { records, chain, sender, collect, rules } = this.#options;
    let open = 0;
    for (const pack of await records.openPacks(chain)) {
      const state = await this.#followUp(pack);
      // One of an account that was used before stands in nobody's way.
      if (state === "sent" && pack.address === sender.address) return;
      if (state === "mined") open += 1;
    }
    if (open >= MAX_MINED || !(await this.#knowsWhatIsConfirmed())) return;
    // What no packer has met is in no archive, so peers are asked before: when there is something to be packed at all.
    if ((await this.#build(signal, { ...rules, maxMessages: 1 })) === null) return;
    await collect(rules.freshMs, signal);
    if (!(await this.#knowsWhatIsConfirmed())) return;
    const archive = await this.#build(signal, rules);
    if (archive === null) return;
    signal.throwIfAborted();
    await this.#send(archive);
  }

  /** Else others' archives would be packed once more. */
  async #knowsWhatIsConfirmed(): Promise<boolean> {
    const { records, chain, isInSync } = this.#options;
    return isInSync() && !(await records.hasUntried(chain));
  }

  /** null: there is nothing to be packed, or it is not this node's turn. */
  #build(signal: AbortSignal, limits: ArchiveLimits): Promise<BuiltArchive | null> {
    const isMyTurn = (oldestMicros: bigint): boolean => this.#isMyTurn(oldestMicros);
    return buildArchive(this.#options.records, signal, isMyTurn, limits);
  }

  #isMyTurn(oldestMicros: bigint): boolean {
    const { sync, sender, clock, rules } = this.#options;
    return mayPack({
      ...rules,
      packers: sync.authorisedEmitters,
      self: sender.address,
      nowMs: Number(clock.nowMicros() / 1_000n),
      oldestMs: Number(oldestMicros / 1_000n),
    });
  }

  async #send(archive: BuiltArchive): Promise<void> {
    const { chain, sync, sender, records, archives, change, clock, log } = this.#options;
    const nonce = await sender.nonce();
    const earlier = (await records.packOfNonce(chain, sender.address, nonce))?.transactions.at(-1);
    const fees = await this.#affordableFees(earlier);
    if (fees === null) return;
    const nowMicros = clock.nowMicros();
    using file = await archives.store(archive.pieces, nowMicros);
    const data = encodeEmit(archivePayload(file.hash));
    const gas = await sender.gasFor(sync.contract, data);
    const transaction = await sender.sign({ to: sync.contract, data, nonce, gas, fees }, nowMicros);
    const pack: Pack = {
      txHash: transaction.hash,
      chain,
      address: sender.address,
      nonce,
      archive: file.hash,
      transactions: [transaction],
      state: "sent",
      messages: archive.itemIds.length,
      createdMicros: nowMicros,
    };
    await change({ kind: "packed", pack, itemIds: archive.itemIds });
    log.info("An archive is sent", {
      chain,
      archive: file.hash,
      txHash: pack.txHash,
      messages: pack.messages,
    });
    await this.#broadcast(transaction);
    this.#packed += 1;
  }

  /** What the market asks, or more where an earlier transaction is to be replaced; null: too dear. */
  async #affordableFees(earlier: PackTransaction | undefined): Promise<Fees | null> {
    const { sender, rules, log, chain } = this.#options;
    const market = await sender.fees();
    const fees = earlier === undefined ? market : replacing(feesOf(earlier), market);
    if (ceilingOf(fees) <= rules.maxFeePerGas) return fees;
    log.warn("Anchoring waits: the chain asks more than is allowed", {
      chain,
      asked: String(ceilingOf(fees)),
    });
    return null;
  }

  /** A refused transaction is sent again in the next round, until it expires. */
  async #broadcast(transaction: PackTransaction): Promise<void> {
    const { sender, log, chain } = this.#options;
    try {
      await sender.send(transaction);
    } catch (error) {
      if (!(error instanceof RpcRefusal)) throw error;
      log.warn("A transaction was refused", { chain, txHash: transaction.hash, error });
    }
  }

  /** Looks what became of a pack, and does what it needs. Returns its state. */
  async #followUp(pack: Pack): Promise<PackState> {
    const { records, sender, chain } = this.#options;
    const hashes = pack.transactions.map(({ hash }) => hash);
    if (await records.isTaken(chain, hashes)) return await this.#become(pack, "confirmed");
    const receipts = await Promise.all(hashes.map((hash) => sender.receipt(hash)));
    if (receipts.includes("mined")) return await this.#become(pack, "mined");
    if (receipts.includes("failed")) return await this.#become(pack, "abandoned");
    if ((await sender.nonce(pack.address)) > pack.nonce) return await this.#afterUsedNonce(pack);
    this.#usedNonces.delete(pack.txHash);
    return await this.#push(pack);
  }

  async #afterUsedNonce(pack: Pack): Promise<PackState> {
    const rounds = (this.#usedNonces.get(pack.txHash) ?? 0) + 1;
    this.#usedNonces.set(pack.txHash, rounds);
    if (rounds < SURE_ROUNDS) return "sent";
    this.#usedNonces.delete(pack.txHash);
    return await this.#become(pack, "abandoned");
  }

  /** Sends what is not mined again: as it was, or with higher fees when it is stuck. */
  async #push(pack: Pack): Promise<PackState> {
    const { clock, rules, sender, sync, change } = this.#options;
    const last = pack.transactions.at(-1);
    const nowMicros = clock.nowMicros();
    const ageMs = (sinceMicros: bigint): number => Number((nowMicros - sinceMicros) / 1_000n);
    if (last === undefined || ageMs(pack.createdMicros) > rules.expiryMs) {
      return await this.#become(pack, "abandoned");
    }
    const isOwn = pack.address === sender.address;
    const isStuck = isOwn && ageMs(BigInt(last.sentMicros)) > rules.stuckMs;
    const fees = isStuck ? await this.#affordableFees(last) : null;
    if (fees === null) {
      await this.#broadcast(last);
      return await this.#become(pack, "sent");
    }
    const data = encodeEmit(archivePayload(pack.archive));
    const gas = await sender.gasFor(sync.contract, data);
    const next = await sender.sign({ to: sync.contract, data, nonce: pack.nonce, gas, fees }, nowMicros);
    const transactions = [...pack.transactions, next];
    await change({ kind: "packChanged", txHash: pack.txHash, state: "sent", transactions });
    await this.#broadcast(next);
    return "sent";
  }

  async #become(pack: Pack, state: PackState): Promise<PackState> {
    const { change, log, chain } = this.#options;
    if (state === pack.state) return state;
    const { txHash, transactions, archive, messages } = pack;
    log.info(`A pack is ${state}`, { chain, txHash, archive, messages });
    await change({ kind: "packChanged", txHash, state, transactions });
    return state;
  }
}
