import { encodeItemHash, itemTypeOfHash } from "@twentysix/protocol";
import type { ContentStore } from "@twentysix/storage";
import type { KeptFile } from "../api/services.ts";
import type { FileHolds } from "../content/file-holds.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { ChainError } from "./errors.ts";

/** Has a file brought into the content store from elsewhere, verified; false: nobody gives it now. */
export type FetchContent = (
  hash: string,
  engine: "storage" | "ipfs",
  signal: AbortSignal,
) => Promise<boolean>;

export interface ArchiveFilesOptions {
  readonly contents: Pick<ContentStore, "stat" | "read" | "addFile">;
  readonly holds: Pick<FileHolds, "hold">;
  readonly pipeline: Pick<Pipeline, "registerFile" | "changeChain">;
  readonly fetchContent: FetchContent;
}

/** An archive that was written and never sent goes after a day. */
const UNSENT_GRACE_MICROS = 24n * 3_600_000_000n;
/** Archives of others may be this large; our own are smaller. */
const MAX_ARCHIVE_BYTES = 100 * 1024 * 1024;

/** The files with archives: brought here, verified, kept for good. */
export class ArchiveFiles {
  readonly #options: ArchiveFilesOptions;

  constructor(options: ArchiveFilesOptions) {
    this.#options = options;
  }

  /**
   * The bytes of an archive, which is kept from now on.
   *
   * @throws ChainError CHAIN_CONTENT_UNAVAILABLE, CHAIN_CONTENT_INVALID
   */
  async open(hash: string, txHash: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const { contents, holds, pipeline } = this.#options;
    using _hold = await holds.hold(hash);
    const stat = (await contents.stat(hash, signal)) ?? (await this.#bring(hash, signal));
    if (stat.type !== "file") throw new ChainError("CHAIN_CONTENT_INVALID", `Archive ${hash} is a directory`);
    if (stat.sizeBytes > MAX_ARCHIVE_BYTES) {
      throw new ChainError("CHAIN_CONTENT_INVALID", `Archive ${hash} has ${stat.sizeBytes} bytes`, {
        maxBytes: MAX_ARCHIVE_BYTES,
      });
    }
    await this.#register({ hash, sizeBytes: stat.sizeBytes, sha256: null, cid: null });
    await pipeline.changeChain({ kind: "archived", archive: hash, txHash });
    return contents.read(hash, { signal });
  }

  /** Stores an archive that this node wrote; its pack pins it. The name is held until the result is disposed of. */
  async store(
    pieces: readonly Uint8Array[],
    nowMicros: bigint,
  ): Promise<Disposable & { readonly hash: string }> {
    const { contents, holds } = this.#options;
    const added = await contents.addFile(pieces, ["cidV0", "fixedCid"]);
    const hash = added.dags.get("cidV0")?.root;
    if (hash === undefined) throw new Error("A file was added without the name that was asked for");
    const hold = await holds.hold(hash);
    const cid = added.dags.get("fixedCid")?.root ?? null;
    const file = { hash, sizeBytes: added.sizeBytes, sha256: added.sha256, cid };
    await this.#register(file, nowMicros + UNSENT_GRACE_MICROS);
    return { hash, [Symbol.dispose]: () => hold[Symbol.dispose]() };
  }

  #register(file: Omit<KeptFile, "type">, graceUntilMicros: bigint | null = null): Promise<void> {
    const encode = (name: string | null): Uint8Array | null => (name === null ? null : encodeItemHash(name));
    const { hash, sizeBytes } = file;
    const held = { hash, sizeBytes, sha256: encode(file.sha256), cid: encode(file.cid) };
    return this.#options.pipeline.registerFile({ ...held, type: "file" }, graceUntilMicros);
  }

  async #bring(hash: string, signal: AbortSignal): Promise<DagStat> {
    const { contents, fetchContent } = this.#options;
    const engine = itemTypeOfHash(hash, { anyCidV1: true });
    if (engine === null) throw new ChainError("CHAIN_CONTENT_INVALID", `${hash} names no file`);
    const isHere = await fetchContent(hash, engine, signal);
    const stat = isHere ? await contents.stat(hash, signal) : undefined;
    if (stat === undefined) {
      throw new ChainError("CHAIN_CONTENT_UNAVAILABLE", `Nobody gives archive ${hash} now`, { hash });
    }
    return stat;
  }
}

type DagStat = NonNullable<Awaited<ReturnType<ContentStore["stat"]>>>;
