import type { Durability } from "@twentysix/protocol";

/** A network of which nodes are killed. */
export interface SurvivalSize {
  readonly nodes: number;
  readonly messages: number;
  /** STOREs among the messages, each with a file of its own. */
  readonly files: number;
  readonly minFileBytes: number;
  readonly maxFileBytes: number;
  /** 1: sizes are even in their logarithm; above it more files are small. */
  readonly skew: number;
  /** Nodes that keep each file; null: all of them. */
  readonly copies: number | null;
  /** How large files are kept in place of copies. */
  readonly erasure?: NonNullable<Durability["erasure"]>;
}
