import type { DagStat } from "./dag-stat.ts";

/** Where the bytes of a block stand. */
export interface BlockLocation {
  /** In a plain file, or in a pack of blocks. */
  readonly holder: "file" | "pack";
  /** SHA-256 of the file or pack. */
  readonly sha256: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** The block is the dag-pb leaf around these bytes, not the bytes themselves. */
  readonly isWrapped: boolean;
}

/** One block of a DAG that is being added. */
export interface BlockEntry {
  /** SHA-256 of the block, 32 bytes. */
  readonly digest: Uint8Array;
  readonly holder: "file" | "pack";
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly isWrapped: boolean;
}

/** A DAG that is held whole. */
export interface DagRecord extends DagStat {
  /** CID in its canonical text. */
  readonly root: string;
  /** SHA-256 of the plain file that has the leaves, when the DAG is that of a file kept as it is. */
  readonly file?: string;
  /** SHA-256 of the pack with the blocks that no plain file has. */
  readonly pack?: string;
  /** The plain file is kept for the sake of this DAG, nobody having stored it under its SHA-256. */
  readonly ownsFile: boolean;
}

/** Says which DAGs are held and where each of their blocks is. What an `add` acknowledged is durable. */
export interface BlockIndex extends AsyncDisposable {
  /** Adds a DAG and all its blocks, or nothing. Replaces no other: the root must be new. */
  add(record: DagRecord, blocks: Iterable<BlockEntry>, signal?: AbortSignal): Promise<void>;
  remove(root: string): Promise<void>;
  find(root: string): Promise<DagRecord | undefined>;
  /** Every place where the bytes of a block stand. */
  locate(digest: Uint8Array): Promise<readonly BlockLocation[]>;
  /** Roots of the DAGs whose leaves are in a plain file, the one that owns it first. */
  rootsOfFile(sha256: string): Promise<readonly DagRecord[]>;
  isPackUsed(sha256: string): Promise<boolean>;
  setOwnsFile(root: string, ownsFile: boolean): Promise<void>;
  /** All records in the order of their roots. */
  list(signal?: AbortSignal): AsyncGenerator<DagRecord, void, undefined>;
}
