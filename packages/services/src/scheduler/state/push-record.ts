/** What was last sent to a node and what came of it. */
export interface PushRecord {
  readonly nodeHash: string;
  /** The last list that the node answered to. */
  readonly acknowledged: readonly string[];
  readonly atMs: number | null;
  readonly result: "done" | "partly" | "failed" | "refused" | "unreachable" | "held" | null;
  readonly text: string | null;
  /** Nothing is sent before. */
  readonly pausedUntilMs: number | null;
  /** Whether the node says of machines that they will have ended there in time; null: it was not asked yet. */
  readonly keepsFences: boolean | null;
  /**
   * Of each machine that it may have been told to run: how long it may run there after the last signed request, as far
   * as the node may know by now. null: for ever.
   */
  readonly fencesMs: Readonly<Record<string, number | null>>;
}

export const firstPushRecord = (nodeHash: string): PushRecord => ({
  nodeHash,
  acknowledged: [],
  atMs: null,
  result: null,
  text: null,
  pausedUntilMs: null,
  keepsFences: null,
  fencesMs: {},
});
