import type { Timers } from "@twentysix/platform";
import type { FoundChainEvent } from "@twentysix/storage";
import type { ChainSource, SourceFigures, SourceServices } from "../chain-source.ts";
import { ChainError } from "../errors.ts";
import { httpText } from "../http-text.ts";
import { readSyncPayload, unreadablePayload } from "../sync-payload.ts";
import { numberOf, rowsOf, textOf, textOrNull } from "./graphql.ts";

export interface NulsSourceOptions extends SourceServices {
  readonly chain: string;
  /** Of the explorer, with or without the slash at its end. */
  readonly url: string;
  readonly address: string;
  /** Text that marks the transactions. */
  readonly remark: string | null;
  readonly timers: Pick<Timers, "withTimeout">;
  readonly signal: AbortSignal;
  readonly pollPeriodMs?: number;
}

const PAGE_TRANSACTIONS = 500;
/** A block of which there is more than a page is asked for in larger ones. */
const PAGE_GROWTH = 4;
const MAX_PAGE_TRANSACTIONS = PAGE_TRANSACTIONS * PAGE_GROWTH ** 3;
const POLL_PERIOD_MS = 30_000;

/**
 * Reads transfers with data to an address from an explorer. The last block is read again with each page, since more of
 * it may come; what is known stays as it is. Source: pyaleph `src/aleph/chains/nuls2.py`.
 */
export class NulsSource implements ChainSource {
  readonly name = "explorer";
  readonly chain: string;
  readonly pollPeriodMs: number;
  readonly #options: NulsSourceOptions;
  #height: number | null = null;

  constructor(options: NulsSourceOptions) {
    this.#options = options;
    this.chain = options.chain;
    this.pollPeriodMs = options.pollPeriodMs ?? POLL_PERIOD_MS;
  }

  figures(): SourceFigures {
    return { height: this.#height, remainingBlocks: null, rewinds: 0 };
  }

  async poll(signal: AbortSignal): Promise<boolean> {
    const { records, change, remark } = this.#options;
    const start = Number((await records.position(this.chain, this.name)) ?? 0);
    const { transactions, last, isFull } = await this.#progress(start, signal);
    this.#height = last;
    const marked = transactions.filter((one) => remark === null || one.remark === remark);
    if (last === start && marked.length === 0) return false;
    await change({
      kind: "read",
      chain: this.chain,
      source: this.name,
      position: String(last),
      blocks: [],
      events: marked.map(eventOf),
    });
    return last > start && isFull;
  }

  /** A page that leads beyond the block at which it starts, where there is more than that block. */
  async #progress(
    start: number,
    signal: AbortSignal,
  ): Promise<{
    readonly transactions: readonly Readonly<Record<string, unknown>>[];
    readonly last: number;
    readonly isFull: boolean;
  }> {
    for (let size = PAGE_TRANSACTIONS; size <= MAX_PAGE_TRANSACTIONS; size *= PAGE_GROWTH) {
      const transactions = await this.#page(start, size);
      signal.throwIfAborted();
      const last = transactions.reduce((height, one) => Math.max(height, numberOf(one, "height")), start);
      const isFull = transactions.length === size;
      if (last > start || !isFull) return { transactions, last, isFull };
    }
    const message = `Block ${start} has more than ${MAX_PAGE_TRANSACTIONS} transactions of the explorer`;
    throw new ChainError("CHAIN_ANSWER_TOO_LARGE", message);
  }

  async #page(startHeight: number, size: number): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { url, address, timers, signal } = this.#options;
    const query = new URLSearchParams({
      address,
      sort_order: "1",
      startHeight: String(startHeight),
      pagination: String(size),
    });
    const { status, body } = await httpText(`${url.replace(/\/*$/, "/")}transactions.json?${query}`, {
      timers,
      signal,
    });
    try {
      return rowsOf(JSON.parse(body), "transactions");
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new ChainError("CHAIN_CONTENT_UNAVAILABLE", `The explorer answered HTTP ${status} without JSON`);
    }
  }
}

/** Anybody can send the address a transfer without data, or with any. */
function eventOf(transaction: Readonly<Record<string, unknown>>): FoundChainEvent {
  const { coinFroms } = transaction;
  const from = Array.isArray(coinFroms) ? textOrNull(coinFroms[0] ?? {}, "address") : null;
  const data = textOrNull(transaction, "txDataHex");
  return {
    txHash: textOf(transaction, "hash"),
    logIndex: 0,
    height: numberOf(transaction, "height"),
    timeMicros: BigInt(Math.round(numberOf(transaction, "createTime") * 1e6)),
    publisher: from ?? "",
    ...(data === null
      ? unreadablePayload(transaction, "it carries no data")
      : readSyncPayload(Buffer.from(data, "hex").toString())),
  };
}
