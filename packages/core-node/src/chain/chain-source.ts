import type { ChainChange, ChainRecordReads } from "@twentysix/storage";

/** Where the events of one chain are read from. */
export interface ChainSource {
  /** As messages name it: `ETH`. */
  readonly chain: string;
  /** Distinguishes sources of one chain; the database remembers it. */
  readonly name: string;
  readonly pollPeriodMs: number;
  /**
   * Reads a part of what is new and has it written down; true when there is more to read at once.
   *
   * @throws ChainError; the next poll tries again from what is durable
   */
  poll(signal: AbortSignal): Promise<boolean>;
  /** For metrics. */
  figures(): SourceFigures;
}

export interface SourceFigures {
  /** Height that was read to; null: unknown. */
  readonly height: number | null;
  /** Blocks that are final and not read; null: unknown. */
  readonly remainingBlocks: number | null;
  /** Times that blocks which had been read turned out to be no more. */
  readonly rewinds: number;
}

/** What every source works on. */
export interface SourceServices {
  readonly records: Pick<ChainRecordReads, "position" | "blocks">;
  /** Resolves once the change is durable. */
  readonly change: (change: ChainChange) => Promise<void>;
}
