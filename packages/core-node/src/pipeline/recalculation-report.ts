/** How far a recalculation of costs has come, and what it found. */
export interface RecalculationReport {
  /** Messages that are to be looked at. */
  readonly total: number;
  readonly looked: number;
  /** Messages whose cost could be computed. */
  readonly recalculated: number;
  /** Messages whose cost is another than before: written, unless it was a dry run. */
  readonly changed: number;
  /** Price lists that were ever in force, the first ones included. */
  readonly priceLists: number;
  /** Messages that have no price; at most 100 are told. */
  readonly errors: readonly { readonly itemHash: string; readonly error: string }[];
}
