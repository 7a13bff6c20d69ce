import type { ChainFigures, Pack, TroubledChainEvent } from "@twentysix/storage";
import type { SourceFigures } from "./chain-source.ts";

/** How this node stands with the chains of its network. */
export interface ChainReport {
  readonly sources: readonly (SourceFigures & { readonly chain: string; readonly source: string })[];
  readonly events: ChainFigures;
  /** Events that failed, the refused ones first; a bounded number of the newest. */
  readonly troubled: readonly TroubledChainEvent[];
  /** Archives of this node that are on their way. */
  readonly packs: readonly Pack[];
}

/** Of a node that reads no chain. */
export const NO_CHAIN_REPORT: ChainReport = {
  sources: [],
  events: { waiting: 0, quarantined: 0, refused: 0 },
  troubled: [],
  packs: [],
};
