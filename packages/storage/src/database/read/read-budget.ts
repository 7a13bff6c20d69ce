/** Asked between the bounded steps of a long read; throws when the reader should stop. */
export interface ReadBudget {
  checkpoint(): void;
}

/** For reads that nobody limits. */
export const UNLIMITED: ReadBudget = { checkpoint: () => {} };
