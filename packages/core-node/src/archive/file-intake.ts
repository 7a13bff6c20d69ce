import { BoundedQueue, isAbortOf } from "@twentysix/platform";
import { encodeItemHash, itemTypeOfHash } from "@twentysix/protocol";
import { BlobError, type ContentStore, type HeldFile, isServerFailure } from "@twentysix/storage";
import { keepFile } from "../content/uploads.ts";
import type { FilePart } from "./file-part-line.ts";

/** Parts that wait for the disk. */
const MAX_WAITING_PARTS = 2;

/** What became of a part. */
export type PartOutcome =
  | { readonly kind: "more" }
  /** The whole file is stored and has the name that it was sent under. */
  | { readonly kind: "stored"; readonly file: HeldFile }
  /** It is here already. */
  | { readonly kind: "known" }
  | { readonly kind: "refused"; readonly reason: string };

interface Receiving {
  readonly queue: BoundedQueue<Uint8Array>;
  /** The file once it is stored; rejects with what stopped it. */
  readonly stored: Promise<HeldFile>;
  readonly abort: AbortController;
}

/** The file whose parts come, and what is done with them. */
type Coming =
  | { readonly mode: "received"; readonly fileHash: string; nextPart: number; readonly receiving: Receiving }
  | { readonly mode: "known"; readonly fileHash: string; nextPart: number }
  | { readonly mode: "refused"; readonly fileHash: string };

/**
 * Puts files together again out of the parts in which they travel, one at a time, streaming them to the disk. A file
 * is held against its name before it takes its place; one that is wrong or cut off leaves nothing.
 */
export class FileIntake {
  readonly #contents: ContentStore;
  readonly #isKnown: (fileHash: string) => Promise<boolean>;
  #coming: Coming | null = null;

  constructor(contents: ContentStore, isKnown: (fileHash: string) => Promise<boolean>) {
    this.#contents = contents;
    this.#isKnown = isKnown;
  }

  /** Between two parts of a file. */
  get isOpen(): boolean {
    return this.#coming !== null && this.#coming.mode !== "refused";
  }

  /** The caller gives up what `isOpen` before a part of another file. @throws BlobError of a store without room */
  async take(part: FilePart): Promise<PartOutcome> {
    if (part.part === 0) this.#coming = await this.#begin(part);
    const coming = this.#coming;
    if (coming?.fileHash !== part.fileHash) return await this.#refuse(part);
    // The first of its parts told why.
    if (coming.mode === "refused") return { kind: "more" };
    if (coming.nextPart !== part.part) return await this.#refuse(part);
    coming.nextPart += 1;
    if (part.isLast) this.#coming = null;
    if (coming.mode === "received") return await this.#pass(coming, part);
    return { kind: part.isLast ? "known" : "more" };
  }

  /** Gives up the file that is coming, if there is one; its name, else null. */
  async abandon(): Promise<string | null> {
    const coming = this.#coming;
    this.#coming = null;
    if (coming === null || coming.mode === "refused") return null;
    if (coming.mode === "received") {
      const { abort, stored } = coming.receiving;
      abort.abort(new BlobError("BLOB_SIZE_MISMATCH", "the file was cut off"));
      await stored.catch((error: unknown) => {
        if (!isAbortOf(abort.signal, error)) throw error;
      });
    }
    return coming.fileHash;
  }

  async #begin(part: FilePart): Promise<Coming> {
    await this.abandon();
    const { fileHash } = part;
    if (await this.#isKnown(fileHash)) return { mode: "known", fileHash, nextPart: 0 };
    return { mode: "received", fileHash, nextPart: 0, receiving: this.#receive(part) };
  }

  async #refuse({ fileHash, part }: FilePart): Promise<PartOutcome> {
    await this.abandon();
    this.#coming = { mode: "refused", fileHash };
    return { kind: "refused", reason: `part ${part} of file ${fileHash} does not follow the one before it` };
  }

  #receive({ fileHash, form }: FilePart): Receiving {
    const abort = new AbortController();
    const queue = new BoundedQueue<Uint8Array>({ capacity: MAX_WAITING_PARTS, dropPolicy: "refuse" });
    const source = piecesOf(queue, abort.signal);
    const stored =
      form === "bytes"
        ? keepBytes(this.#contents, fileHash, source)
        : keepCar(this.#contents, fileHash, source);
    // What nobody reads any more must not be waited for.
    stored.catch((error: unknown) => abort.abort(error));
    return { queue, stored, abort };
  }

  async #pass(
    { fileHash, receiving }: Extract<Coming, { mode: "received" }>,
    part: FilePart,
  ): Promise<PartOutcome> {
    const { queue, stored, abort } = receiving;
    try {
      if (part.bytes.length > 0) await queue.put(part.bytes, abort.signal);
      if (!part.isLast) return { kind: "more" };
      queue.close();
      return { kind: "stored", file: await stored };
    } catch (error) {
      if (!part.isLast) this.#coming = { mode: "refused", fileHash };
      if (!(error instanceof BlobError) || NO_ROOM.has(error.code) || isServerFailure(error)) throw error;
      return { kind: "refused", reason: `file ${fileHash} is not taken: ${error.message}` };
    }
  }
}

/** Codes of a store that has no room. */
export const NO_ROOM: ReadonlySet<string> = new Set(["BLOB_DISK_BUDGET_EXCEEDED", "BLOB_FREE_SPACE_LOW"]);

async function* piecesOf(
  queue: BoundedQueue<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) {
    const piece = await queue.take(signal);
    if (piece === undefined) return;
    yield piece;
  }
}

async function keepBytes(
  contents: ContentStore,
  fileHash: string,
  source: AsyncIterable<Uint8Array>,
): Promise<HeldFile> {
  const engine = itemTypeOfHash(fileHash, { anyCidV1: true });
  if (engine === null) throw new BlobError("BLOB_NAME_INVALID", "this is no name of a file");
  const kept = await keepFile(contents, { read: () => source }, engine, fileHash);
  return { ...kept, sha256: bytesOf(kept.sha256), cid: bytesOf(kept.cid) };
}

async function keepCar(
  contents: ContentStore,
  fileHash: string,
  source: AsyncIterable<Uint8Array>,
): Promise<HeldFile> {
  const { record } = await contents.importCar(source, { expectedRoot: fileHash });
  const { type, cumulativeSizeBytes } = record;
  return { hash: fileHash, sizeBytes: cumulativeSizeBytes, type, sha256: null, cid: null };
}

const bytesOf = (name: string | null): Uint8Array | null => (name === null ? null : encodeItemHash(name));
