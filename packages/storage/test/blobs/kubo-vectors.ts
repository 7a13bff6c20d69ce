import { readFileSync } from "node:fs";

/** What Kubo 0.37.0 answered; `source` in the file says how to make it again. */
export interface KuboVectors {
  readonly files: readonly FileVector[];
  readonly directories: readonly DirectoryVector[];
  readonly foreign: readonly ForeignVector[];
}

interface Sizes {
  readonly sizeBytes: number;
  readonly cumulativeSizeBytes: number;
}

export interface FileVector {
  readonly seed: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly cidV0: string;
  readonly cidV1: string;
  readonly cidV1WithoutRawLeaves: string;
  readonly cidV1Of1MiBChunks: string;
  readonly v0: Sizes;
  readonly v1: Sizes;
}

export interface DirectoryVector {
  readonly name: string;
  readonly files?: Readonly<Record<string, string | { readonly seed: string; readonly sizeBytes: number }>>;
  /** Files named by their number padded with `n` in front, content the bare number. */
  readonly numbered?: { readonly nameLength: number; readonly count: number; readonly under?: string };
  readonly cidV0: string;
  readonly cidV1: string;
  readonly cumulativeSizeBytesV0: number;
  readonly cumulativeSizeBytesV1: number;
  readonly rootLinksV0: number;
  readonly rootLinksV1: number;
}

export interface ForeignVector extends Sizes {
  readonly name: string;
  readonly options: string;
  readonly root: string;
}

const folder = new URL("./fixtures/", import.meta.url);

export const kubo = JSON.parse(readFileSync(new URL("kubo-vectors.json", folder), "utf8")) as KuboVectors;

/** A CAR file that Kubo exported. */
export function carFixture(name: string): Uint8Array {
  return readFileSync(new URL(`${name}.car`, folder));
}
