import {
  MESSAGE_EVENT_TOPIC,
  type MessageSyncEvent,
  readMessageSyncLog,
  SYNC_EVENT_TOPIC,
} from "@twentysix/contracts";
import type { Logger } from "@twentysix/platform";
import type { ChainSync } from "@twentysix/protocol";
import type { ChainBlock, FoundChainEvent } from "@twentysix/storage";
import type { ChainSource, SourceFigures, SourceServices } from "../chain-source.ts";
import { contractPayload } from "../contract-message.ts";
import { ChainError } from "../errors.ts";
import { readSyncPayload } from "../sync-payload.ts";
import type { EvmLog, EvmReads } from "./evm-reads.ts";

export interface EvmSourceOptions extends SourceServices {
  readonly chain: string;
  readonly sync: ChainSync;
  readonly reads: EvmReads;
  readonly log: Logger;
  readonly pollPeriodMs?: number;
}

const POLL_PERIOD_MS = 15_000;
/** Blocks whose logs are asked for at once. */
const MAX_RANGE = 100_000;
/** Blocks in which a change of the chain is looked for while they are read. */
const UNSETTLED_BLOCKS = 128;
const REMEMBERED_BLOCKS = 512;

/**
 * Reads the events of the sync contract over RPC, up to the depth at which the network takes them as final. The hashes
 * of what was read are remembered: where the chain tells another story later, what its abandoned blocks told is undone.
 */
export class EvmSource implements ChainSource {
  readonly name = "rpc";
  readonly chain: string;
  readonly pollPeriodMs: number;
  readonly #options: EvmSourceOptions;
  #range = MAX_RANGE;
  #figures: SourceFigures = { height: null, remainingBlocks: null, rewinds: 0 };

  constructor(options: EvmSourceOptions) {
    this.#options = options;
    this.chain = options.chain;
    this.pollPeriodMs = options.pollPeriodMs ?? POLL_PERIOD_MS;
  }

  figures(): SourceFigures {
    return this.#figures;
  }

  async poll(signal: AbortSignal): Promise<boolean> {
    const { reads, sync } = this.#options;
    const head = await reads.head();
    const base = await this.#standingBlock(head);
    if (base === null) return false;
    const last = head - sync.finalityDepth;
    this.#show(base.height, last);
    if (base.height >= last) return false;
    const to = await this.#read(base, last, head);
    signal.throwIfAborted();
    this.#show(to, last);
    return to < last;
  }

  #show(height: number, last: number): void {
    this.#figures = { ...this.#figures, height, remainingBlocks: Math.max(0, last - height) };
  }

  /** The block that was read to, after what is no more was undone; null when the RPC is behind. */
  async #standingBlock(head: number): Promise<ChainBlock | null> {
    const { records, sync, log, change } = this.#options;
    const position = await records.position(this.chain, this.name);
    if (position === null) {
      const first = Math.max(0, sync.startHeight - 1);
      return first > head ? null : { height: first, hash: await this.#hashOf(first) };
    }
    const height = Number(position);
    const newest = (await records.blocks(this.chain, 1)).filter((block) => block.height <= head);
    const unmoved = await this.#newestStanding(newest);
    if (unmoved !== null) return unmoved;
    const blocks = await records.blocks(this.chain, REMEMBERED_BLOCKS);
    const standing = await this.#newestStanding(blocks.filter((block) => block.height <= head));
    const isBehind = blocks.some((block) => block.height > head);
    if (standing !== null && standing === blocks.find((block) => block.height <= head)) return null;
    if (standing === null && isBehind && !blocks.some((block) => block.height <= head)) return null;
    if (standing === null) {
      const message = `The blocks of ${this.chain} that were read before are not on this chain: is it the right one?`;
      throw new ChainError("CHAIN_HISTORY_DIFFERS", message, { height });
    }
    log.warn("Blocks of a chain are no more; what they told is undone", {
      chain: this.chain,
      height: standing.height,
      blocks: height - standing.height,
    });
    const rewound = { chain: this.chain, source: this.name, height: standing.height };
    await change({ kind: "rewound", ...rewound, position: String(standing.height) });
    this.#figures = { ...this.#figures, rewinds: this.#figures.rewinds + 1 };
    return standing;
  }

  /** The highest of these blocks that is still on the chain. */
  async #newestStanding(blocks: readonly ChainBlock[]): Promise<ChainBlock | null> {
    for (const block of blocks) {
      if ((await this.#hashOf(block.height)) === block.hash) return block;
    }
    return null;
  }

  /** Reads the next blocks after `base`, whole or not at all. Returns the height reached. */
  async #read(base: ChainBlock, last: number, head: number): Promise<number> {
    const start = base.height;
    const { reads, sync, change } = this.#options;
    for (;;) {
      const to = Math.min(last, start + this.#range);
      const end = { height: to, hash: await this.#hashOf(to) };
      try {
        const logs = await reads.logs(sync.contract, this.#topics(), start + 1, to);
        const blocks = await this.#unchanged(base, logs, end, head);
        await change({
          kind: "read",
          chain: this.chain,
          source: this.name,
          position: String(to),
          blocks,
          events: logs.flatMap((log) => this.#eventOf(log)),
        });
        this.#range = Math.min(MAX_RANGE, this.#range * 2);
        return to;
      } catch (error) {
        const isTooLarge = error instanceof ChainError && error.code === "CHAIN_ANSWER_TOO_LARGE";
        this.#range = Math.max(1, Math.floor((to - start) / 2));
        // A server that times out may manage less: the next reading asks for half as much.
        if (!isTooLarge || to - start <= 1) throw error;
      }
    }
  }

  #topics(): string[] {
    const { events } = this.#options.sync;
    return [
      ...(events.includes("sync") ? [SYNC_EVENT_TOPIC] : []),
      ...(events.includes("message") ? [MESSAGE_EVENT_TOPIC] : []),
    ];
  }

  async #hashOf(height: number): Promise<string> {
    const hash = await this.#options.reads.blockHash(height);
    if (hash === null) throw new ChainError("CHAIN_RPC_UNAVAILABLE", `An RPC lacks block ${height}`);
    return hash;
  }

  /**
   * The blocks to remember: those on both ends and those with events. The one that was there before is looked at last:
   * if it still stands, so did all before it while the others were read.
   * @throws ChainError CHAIN_CHANGED: they are not of one chain, since it changed while it was read
   */
  async #unchanged(
    base: ChainBlock,
    logs: readonly EvmLog[],
    end: ChainBlock,
    head: number,
  ): Promise<ChainBlock[]> {
    const blocks = new Map(logs.map((log) => [log.height, log.blockHash]));
    blocks.set(end.height, end.hash);
    blocks.set(base.height, base.hash);
    for (const [height, hash] of blocks) {
      if (height !== base.height && height < head - UNSETTLED_BLOCKS) continue;
      if ((await this.#hashOf(height)) === hash) continue;
      throw new ChainError("CHAIN_CHANGED", `Block ${height} changed while it was read`);
    }
    return [...blocks].map(([height, hash]) => ({ height, hash })).sort((a, b) => a.height - b.height);
  }

  #eventOf(log: EvmLog): FoundChainEvent[] {
    const event = readMessageSyncLog(log);
    if (event === null || !this.#isHeeded(event)) return [];
    const payload =
      event.kind === "sync"
        ? readSyncPayload(event.message)
        : contractPayload({ sender: event.emitter, type: event.type, content: event.content });
    const { txHash, logIndex, height } = log;
    const timeMicros = event.timeSeconds * 1_000_000n;
    return [{ txHash, logIndex, height, timeMicros, publisher: event.emitter, ...payload }];
  }

  /** Archives are read from whom the network trusts with them; messages from everybody, for themselves. */
  #isHeeded(event: MessageSyncEvent): boolean {
    const { authorisedEmitters } = this.#options.sync;
    if (event.kind === "message" || authorisedEmitters === null) return true;
    return authorisedEmitters.some((address) => address.toLowerCase() === event.emitter.toLowerCase());
  }
}
