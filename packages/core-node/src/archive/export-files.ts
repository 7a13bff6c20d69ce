import { encodeHex, encodeItemHash } from "@twentysix/protocol";
import {
  BlobError,
  type ContentReader,
  FileNamer,
  isServerFailure,
  PIN_CODE,
  type SqlConnection,
} from "@twentysix/storage";
import { type FileForm, MAX_PART_BYTES, writeFilePart } from "./file-part-line.ts";
import { IdSet } from "./id-set.ts";
import type { LineSink } from "./line-sink.ts";

interface FileRow {
  readonly id: number;
  readonly sha256: Uint8Array | null;
}

export interface FileExportOptions {
  readonly connection: SqlConnection;
  readonly contents: ContentReader;
  readonly sink: LineSink;
  /** Files of STOREs up to this place of the event log are there already. */
  readonly afterSeq: number;
  readonly signal: AbortSignal;
}

/** Writes files that messages name, each once, in parts, ahead of the first message that needs it. */
export class FileExport {
  readonly #options: FileExportOptions;
  readonly #met = new IdSet();
  sent = 0;
  /** Not here any more, or damaged. */
  missing = 0;

  constructor(options: FileExportOptions) {
    this.#options = options;
  }

  /** The file of a live STORE. */
  async sendStored(fileHash: string): Promise<void> {
    const row = this.#find(fileHash);
    if (row === undefined) this.missing += 1;
    else if (this.#met.add(row.id) && !this.#isThere(fileHash)) await this.#send(fileHash, row.sha256);
  }

  /** The file of a forgotten STORE, when it is still held for somebody. */
  async sendKept(fileHash: string, isRetained: boolean): Promise<void> {
    const row = this.#find(fileHash);
    if (row === undefined || !(isRetained || this.#isPinned(row.id))) return;
    if (this.#met.add(row.id)) await this.#send(fileHash, row.sha256);
  }

  #find(fileHash: string): FileRow | undefined {
    const query = "SELECT id, sha256 FROM files WHERE hash = ?";
    return this.#options.connection.get<FileRow>(query, encodeItemHash(fileHash));
  }

  /** Went with an earlier export. */
  #isThere(fileHash: string): boolean {
    const { connection, afterSeq } = this.#options;
    if (afterSeq === 0) return false;
    const query = `SELECT 1 FROM messages m WHERE m.content_hash = ?
      AND EXISTS (SELECT 1 FROM events e WHERE e.item_id = m.id AND e.kind = 2 AND e.seq <= ?) LIMIT 1`;
    return connection.get(query, encodeItemHash(fileHash), afterSeq) !== undefined;
  }

  #isPinned(fileId: number): boolean {
    const query = "SELECT 1 FROM pins WHERE file_id = ? AND kind <> ? LIMIT 1";
    return this.#options.connection.get(query, fileId, PIN_CODE.grace_period) !== undefined;
  }

  /** What turns out damaged on the way has no last part, so that nobody takes it for whole. */
  async #send(fileHash: string, sha256: Uint8Array | null): Promise<void> {
    const { contents, signal } = this.#options;
    try {
      const isWhole =
        sha256 === null
          ? await this.#sendParts(fileHash, "car", contents.exportCar(fileHash, { signal }), () => true)
          : await this.#sendBytes(fileHash, encodeHex(sha256));
      if (isWhole) this.sent += 1;
      else this.missing += 1;
    } catch (error) {
      if (!(error instanceof BlobError) || isServerFailure(error)) throw error;
      this.missing += 1;
    }
  }

  async #sendBytes(fileHash: string, sha256: string): Promise<boolean> {
    const { contents, signal } = this.#options;
    const namer = new FileNamer(["sha256"]);
    async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const piece of contents.readFile(sha256, { signal })) {
        namer.update(piece);
        yield piece;
      }
    }
    return await this.#sendParts(fileHash, "bytes", pieces(), () => namer.finish().sha256 === sha256);
  }

  async #sendParts(
    fileHash: string,
    form: FileForm,
    pieces: AsyncIterable<Uint8Array>,
    isWhole: () => boolean,
  ): Promise<boolean> {
    const { sink } = this.#options;
    let part = 0;
    let held: Uint8Array = new Uint8Array();
    for await (const bytes of partsOf(pieces)) {
      if (part > 0)
        await sink.write(writeFilePart({ fileHash, form, part: part - 1, isLast: false, bytes: held }));
      held = bytes;
      part += 1;
    }
    if (!isWhole()) return false;
    await sink.write(
      writeFilePart({ fileHash, form, part: Math.max(0, part - 1), isLast: true, bytes: held }),
    );
    return true;
  }
}

/** The same bytes in parts of one size, but for the last. */
async function* partsOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of pieces) {
    for (let start = 0; start < piece.length; ) {
      const taken = piece.subarray(start, start + MAX_PART_BYTES - sizeBytes);
      held.push(Uint8Array.from(taken));
      sizeBytes += taken.length;
      start += taken.length;
      if (sizeBytes < MAX_PART_BYTES) continue;
      yield Buffer.concat(held);
      held = [];
      sizeBytes = 0;
    }
  }
  if (sizeBytes > 0) yield Buffer.concat(held);
}
