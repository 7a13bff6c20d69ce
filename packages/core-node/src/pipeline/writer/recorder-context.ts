import type { Random } from "@twentysix/platform";
import type { NetworkLimits } from "@twentysix/protocol";
import type { ItemFact, StateRules, World } from "@twentysix/state";
import type { MessageStore } from "@twentysix/storage";
import type { CopyReader } from "../copy-reader.ts";
import type { BatchAnswers } from "./batch-answers.ts";
import type { BatchWrites } from "./batch-writes.ts";

export interface RecorderOptions {
  readonly store: MessageStore;
  readonly world: World;
  readonly reader: CopyReader;
  readonly rules: Pick<StateRules, "canonicalOrder">;
  readonly limits: Pick<NetworkLimits, "messageRetries">;
  readonly nowMicros: bigint;
  readonly random: Random;
}

/** What the parts of the recorder of one batch share. */
export interface RecorderContext extends RecorderOptions {
  readonly answers: BatchAnswers;
  readonly writes: BatchWrites;
  /** Writes everything so far, so that look-ups see it. */
  readonly flush: () => void;
}

/** What is known of an item; null for a hash that this node never met. */
export function itemOf({ world }: Pick<RecorderContext, "world">, hash: string): ItemFact | null {
  return world.facts.items.get(hash);
}
