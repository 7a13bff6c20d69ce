/** How the bytes of a file become blocks. Every field changes the CID. */
export interface DagLayout {
  readonly cidVersion: 0 | 1;
  /** Leaves are the bytes themselves; else each is wrapped in a dag-pb node. */
  readonly rawLeaves: boolean;
  readonly chunkBytes: number;
  /** Most links of one node of the balanced tree. */
  readonly maxLinks: number;
}

/** What `ipfs add` of Kubo does by default, and what the network's upload routes answer. */
export const LAYOUT_V0: DagLayout = {
  cidVersion: 0,
  rawLeaves: false,
  chunkBytes: 262_144,
  maxLinks: 174,
};

/**
 * The fixed parameters under which every file has its second name; also what `ipfs add --cid-version 1` gives.
 * They never change: docs/decisions/0003-file-names.md.
 */
export const FIXED_LAYOUT: DagLayout = {
  cidVersion: 1,
  rawLeaves: true,
  chunkBytes: 262_144,
  maxLinks: 174,
};

/** The `unixfs-v1-2025` profile of IPIP-499, which newer tools use: recognised when a file is verified. */
export const LAYOUT_V1_2025: DagLayout = {
  cidVersion: 1,
  rawLeaves: true,
  chunkBytes: 1_048_576,
  maxLinks: 1024,
};
