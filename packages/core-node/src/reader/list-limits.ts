const KIB = 1024;

/** How much of a list is read and held at once. */
export interface ListLimits {
  /** Items and bytes of one step in which a long page or a list without limit is read. */
  readonly stepItems: number;
  readonly stepBytes: number;
  /** A cursor page ends with the item that passes this. */
  readonly maxCursorPageBytes: number;
  /** Answers that are read in steps at the same time; one more is told to come back. */
  readonly maxStreams: number;
  /** Of those, answers to one address. */
  readonly maxStreamsPerAddress: number;
  /** Finished answers of aggregates that are kept, and the largest of them; a larger one is made each time. */
  readonly aggregateCacheBytes: number;
  readonly maxCachedAggregateBytes: number;
}

/** A client that does not read holds several steps in their different forms. */
export const DEFAULT_LIST_LIMITS: ListLimits = {
  stepItems: 1_000,
  stepBytes: 128 * KIB,
  maxCursorPageBytes: 4 * KIB * KIB,
  maxStreams: 64,
  maxStreamsPerAddress: 16,
  aggregateCacheBytes: 32 * KIB * KIB,
  maxCachedAggregateBytes: 8 * KIB * KIB,
};
