import type { ChainSync } from "@twentysix/protocol";
import type { FoundChainEvent } from "@twentysix/storage";
import type { ChainSource, SourceFigures, SourceServices } from "../chain-source.ts";
import { contractPayload } from "../contract-message.ts";
import { ChainError } from "../errors.ts";
import { readSyncPayload, type SyncPayload, unreadablePayload } from "../sync-payload.ts";
import { askGraphql, type GraphqlOptions, numberOf, rowsOf, textOf, textOrNull } from "./graphql.ts";
import { mergedRanges, type TimeRange, withoutRanges } from "./time-ranges.ts";

export interface EvmIndexerSourceOptions extends SourceServices, GraphqlOptions {
  readonly chain: string;
  readonly sync: ChainSync;
  /** Which of the events of the contract. */
  readonly event: "sync" | "message";
  readonly pollPeriodMs?: number;
}

/** What was read: whole ranges, and the pages of the one that is being read. */
interface Position {
  readonly done: readonly TimeRange[];
  readonly open: { readonly range: TimeRange; readonly skip: number } | null;
}

/** Chains by the names of the indexer. */
const BLOCKCHAINS: Readonly<Record<string, string>> = { ETH: "ethereum", BSC: "bsc", SOL: "solana" };
const PAGE_EVENTS = 1_000;
const POLL_PERIOD_MS = 10_000;

/**
 * Reads the events of a contract from an indexer of several chains. It says which times it knows whole; those are read,
 * page by page, and whatever is read is durable at once. Source: pyaleph `src/aleph/chains/indexer_reader.py`.
 */
export class EvmIndexerSource implements ChainSource {
  readonly chain: string;
  readonly name: string;
  readonly pollPeriodMs: number;
  readonly #options: EvmIndexerSourceOptions;
  #height: number | null = null;

  constructor(options: EvmIndexerSourceOptions) {
    this.#options = options;
    this.chain = options.chain;
    this.name = `indexer-${options.event}`;
    this.pollPeriodMs = options.pollPeriodMs ?? POLL_PERIOD_MS;
  }

  figures(): SourceFigures {
    return { height: this.#height, remainingBlocks: null, rewinds: 0 };
  }

  async poll(signal: AbortSignal): Promise<boolean> {
    const { records, change } = this.#options;
    const text = await records.position(this.chain, this.name);
    const { done, open } = text === null ? NOTHING : (JSON.parse(text) as Position);
    const wanted = withoutRanges(await this.#known(), done);
    // The open range is read to its end, whatever the indexer knows beyond it by now.
    const range = open?.range ?? wanted[0];
    if (range === undefined) return false;
    signal.throwIfAborted();
    const skip = open?.skip ?? 0;
    const events = await this.#events(range, skip);
    const isWhole = events.length < PAGE_EVENTS;
    const position: Position = isWhole
      ? { done: mergedRanges([...done, range]), open: null }
      : { done, open: { range, skip: skip + events.length } };
    await change({
      kind: "read",
      chain: this.chain,
      source: this.name,
      position: JSON.stringify(position),
      blocks: [],
      events: events.flatMap((event) => this.#eventOf(event)),
    });
    this.#height = events.reduce<number | null>(
      (height, event) => Math.max(height ?? 0, numberOf(event, "height")),
      this.#height,
    );
    return !isWhole || wanted.length > 1;
  }

  /** Times that the indexer knows whole. */
  async #known(): Promise<TimeRange[]> {
    const { sync } = this.#options;
    for (const account of new Set([sync.contract.toLowerCase(), sync.contract])) {
      const states = rowsOf(
        await askGraphql(
          this.#options,
          `{state: accountState(blockchain: ${this.#blockchain}, account: [${JSON.stringify(account)}], type: log) {blockchain type indexer account completeHistory progress pending processed}}`,
        ),
        "state",
      );
      const [state] = states;
      if (state !== undefined) return rowsOf(state, "processed").map((one) => rangeOf(String(one)));
    }
    throw new ChainError("CHAIN_CONTENT_UNAVAILABLE", `The indexer does not know ${sync.contract}`);
  }

  get #blockchain(): string {
    const name = BLOCKCHAINS[this.chain];
    if (name === undefined) throw new ChainError("CHAIN_SETTINGS_INVALID", `No indexer reads ${this.chain}`);
    return JSON.stringify(name);
  }

  async #events(
    [first, last]: TimeRange,
    skip: number,
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const isSync = this.#options.event === "sync";
    const [field, fields] = isSync ? ["syncEvents", "message"] : ["messageEvents", "type content"];
    const bounds = `startDate: ${first.toFixed(1)}, endDate: ${last.toFixed(1)}, limit: ${PAGE_EVENTS}, skip: ${skip}`;
    const query = `{${field}(blockchain: ${this.#blockchain}, ${bounds}, reverse: false) {id timestamp address height transaction ${fields}}}`;
    return rowsOf(await askGraphql(this.#options, query), field);
  }

  #eventOf(event: Readonly<Record<string, unknown>>): FoundChainEvent[] {
    const publisher = textOf(event, "address");
    if (this.#options.event === "sync" && !this.#isHeeded(publisher)) return [];
    const hash = textOf(event, "transaction");
    return [
      {
        txHash: hash.startsWith("0x") ? hash.toLowerCase() : hash,
        logIndex: Number(/_(\d+)$/.exec(textOf(event, "id"))?.[1] ?? 0),
        height: numberOf(event, "height"),
        timeMicros: BigInt(Math.round(numberOf(event, "timestamp") * 1_000)),
        publisher,
        ...(this.#options.event === "sync" ? syncOf(event) : messageOf(event, publisher)),
      },
    ];
  }

  #isHeeded(emitter: string): boolean {
    const { authorisedEmitters } = this.#options.sync;
    if (authorisedEmitters === null) return true;
    return authorisedEmitters.some((address) => address.toLowerCase() === emitter.toLowerCase());
  }
}

function syncOf(event: Readonly<Record<string, unknown>>): SyncPayload {
  const message = textOrNull(event, "message");
  return message === null ? unreadablePayload(event, "it has no message") : readSyncPayload(message);
}

function messageOf(
  event: Readonly<Record<string, unknown>>,
  sender: string,
): Pick<FoundChainEvent, "kind" | "payload" | "error"> {
  const type = textOrNull(event, "type");
  const content = textOrNull(event, "content");
  if (type === null || content === null) return unreadablePayload(event, "it has no type or no content");
  return contractPayload({ sender, type, content });
}

const NOTHING: Position = { done: [], open: null };

/** `2020-12-01T00:00:00.000Z/2026-07-20T10:00:00.000Z` */
function rangeOf(text: string): TimeRange {
  const [first = Number.NaN, last = Number.NaN] = text.split("/").map((one) => Date.parse(one));
  if (Number.isNaN(first) || Number.isNaN(last)) {
    throw new ChainError("CHAIN_CONTENT_UNAVAILABLE", `The indexer tells no times: ${text}`);
  }
  return [first, last];
}
