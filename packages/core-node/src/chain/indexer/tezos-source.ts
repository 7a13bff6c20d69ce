import type { FoundChainEvent } from "@twentysix/storage";
import type { ChainSource, SourceFigures, SourceServices } from "../chain-source.ts";
import { contractPayload } from "../contract-message.ts";
import { ChainError } from "../errors.ts";
import { unreadablePayload } from "../sync-payload.ts";
import { askGraphql, type GraphqlOptions, numberOf, rowsOf, textOf, textOrNull } from "./graphql.ts";

export interface TezosSourceOptions extends SourceServices, GraphqlOptions {
  readonly chain: string;
  readonly contract: string;
  readonly pollPeriodMs?: number;
}

const PAGE_EVENTS = 100;
const POLL_PERIOD_MS = 10_000;

/**
 * Reads message events of a Tezos contract from its indexer. The position is the number of events read. Source: pyaleph
 * `src/aleph/chains/tezos.py`.
 */
export class TezosSource implements ChainSource {
  readonly name = "tezos-indexer";
  readonly chain: string;
  readonly pollPeriodMs: number;
  readonly #options: TezosSourceOptions;
  #height: number | null = null;

  constructor(options: TezosSourceOptions) {
    this.#options = options;
    this.chain = options.chain;
    this.pollPeriodMs = options.pollPeriodMs ?? POLL_PERIOD_MS;
  }

  figures(): SourceFigures {
    return { height: this.#height, remainingBlocks: null, rewinds: 0 };
  }

  async poll(signal: AbortSignal): Promise<boolean> {
    const { records, change, contract } = this.#options;
    const { indexStatus } = await askGraphql(this.#options, "{indexStatus {status}}");
    if ((indexStatus as { status?: unknown } | null)?.status !== "synced") return false;
    signal.throwIfAborted();
    const skip = Number((await records.position(this.chain, this.name)) ?? 0);
    const address = JSON.stringify(contract);
    const query = `{indexStatus {oldestBlock recentBlock status} stats(address: ${address}) {totalEvents} events(limit: ${PAGE_EVENTS}, skip: ${skip}, source: ${address}, type: "MessageEvent") {_id source timestamp blockLevel operationHash type payload}}`;
    const events = rowsOf(await askGraphql(this.#options, query), "events");
    if (events.length === 0) return false;
    await change({
      kind: "read",
      chain: this.chain,
      source: this.name,
      position: String(skip + events.length),
      blocks: [],
      events: events.map((event, index) => eventOf(event, skip + index)),
    });
    this.#height = numberOf(events.at(-1) ?? {}, "blockLevel");
    return events.length === PAGE_EVENTS;
  }
}

/** @param ordinal of the event among all of the contract: an operation may have several, and the indexer numbers none */
function eventOf(event: Readonly<Record<string, unknown>>, ordinal: number): FoundChainEvent {
  const timeMs = Date.parse(textOf(event, "timestamp"));
  if (Number.isNaN(timeMs)) {
    throw new ChainError("CHAIN_CONTENT_UNAVAILABLE", `Event ${ordinal} of a Tezos indexer has no time`);
  }
  return {
    txHash: textOf(event, "operationHash"),
    logIndex: ordinal,
    height: numberOf(event, "blockLevel"),
    timeMicros: BigInt(timeMs) * 1_000n,
    publisher: textOf(event, "source"),
    ...payloadOf(event.payload),
  };
}

/** What the caller of the contract wrote. */
function payloadOf(payload: unknown): Pick<FoundChainEvent, "kind" | "payload" | "error"> {
  const fields = (typeof payload === "object" && payload !== null ? payload : {}) as Readonly<
    Record<string, unknown>
  >;
  const [sender, type, content] = ["addr", "msgtype", "msgcontent"].map((name) => textOrNull(fields, name));
  const timeSeconds = Number(fields.timestamp ?? Number.NaN);
  if (sender == null || type == null || content == null || !Number.isFinite(timeSeconds)) {
    return unreadablePayload(payload, "it is no message: addr, msgtype, msgcontent and timestamp are needed");
  }
  return contractPayload({ sender, type, content, timeSeconds });
}
