/** A network of which nodes are killed. */
export interface SurvivalSize {
  readonly nodes: number;
  readonly messages: number;
  /** STOREs among the messages, each with a file of its own. */
  readonly files: number;
  readonly minFileBytes: number;
  readonly maxFileBytes: number;
  /** Nodes that keep each file; null: all of them. */
  readonly copies: number | null;
}
