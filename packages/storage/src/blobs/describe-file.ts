import { createHash } from "node:crypto";
import { abortable, type ByteSource } from "./byte-source.ts";
import { FIXED_LAYOUT, LAYOUT_V0 } from "./dag-layout.ts";
import { FileDagBuilder } from "./file-dag-builder.ts";

/** The names that a file can have; each costs one SHA-256 of all its bytes. */
export type FileName = "sha256" | "cidV0" | "cidV1" | "fixedCid";

export const FILE_NAMES: readonly FileName[] = ["sha256", "cidV0", "cidV1", "fixedCid"];

/** The names that were asked for; the others are absent. */
export interface FileDescription {
  readonly sizeBytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256?: string;
  /** `Qm…`, as `ipfs add` of Kubo gives. */
  readonly cidV0?: string;
  /** `bafy…`, or `bafk…` up to one chunk, as `ipfs add --cid-version 1` gives. */
  readonly cidV1?: string;
  /** The name under the fixed parameters. Today the same as `cidV1`; this one never follows Kubo elsewhere. */
  readonly fixedCid?: string;
}

/** Computes names of a file from its bytes, given in order and in any pieces. */
export class FileNamer {
  readonly #wanted: ReadonlySet<FileName>;
  readonly #sha256 = createHash("sha256");
  readonly #v0: FileDagBuilder | undefined;
  readonly #fixed: FileDagBuilder | undefined;
  #sizeBytes = 0;

  constructor(wanted: Iterable<FileName> = FILE_NAMES) {
    this.#wanted = new Set(wanted);
    if (this.#wanted.has("cidV0")) this.#v0 = new FileDagBuilder(LAYOUT_V0);
    if (this.#wanted.has("cidV1") || this.#wanted.has("fixedCid")) {
      this.#fixed = new FileDagBuilder(FIXED_LAYOUT);
    }
  }

  update(piece: Uint8Array): void {
    this.#sizeBytes += piece.byteLength;
    if (this.#wanted.has("sha256")) this.#sha256.update(piece);
    this.#v0?.update(piece);
    this.#fixed?.update(piece);
  }

  finish(): FileDescription {
    const fixed = this.#fixed?.finish().cid.toString();
    const names: Partial<Record<FileName, string | undefined>> = {
      sha256: this.#sha256.digest("hex"),
      cidV0: this.#v0?.finish().cid.toString(),
      cidV1: fixed,
      fixedCid: fixed,
    };
    const description: { sizeBytes: number } & Partial<Record<FileName, string>> = {
      sizeBytes: this.#sizeBytes,
    };
    for (const name of this.#wanted) {
      const text = names[name];
      if (text !== undefined) description[name] = text;
    }
    return description;
  }
}

/** Reads a source to its end, keeping one chunk at most, and gives the names asked for (all by default). */
export async function describeFile(
  source: ByteSource,
  options: { readonly names?: Iterable<FileName>; readonly signal?: AbortSignal } = {},
): Promise<FileDescription> {
  const namer = new FileNamer(options.names);
  for await (const piece of abortable(source, options.signal)) namer.update(piece);
  return namer.finish();
}
