import { encodeItemHash } from "@twentysix/protocol";
import { BlobError, type ContentStore, FileNamer, isServerFailure, openCar } from "@twentysix/storage";
import { ApiError } from "../api/errors.ts";
import {
  CarRefusal,
  type KeptFile,
  type StagedFile,
  type StageOptions,
  type UploadServices,
} from "../api/services.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { Budgets } from "../services/budgets.ts";
import type { GraceRoom } from "../services/grace-room.ts";
import type { FileHolds } from "./file-holds.ts";
import { inspectStore } from "./inspect-store.ts";
import {
  assertFilesUsable,
  CAR_WORDS,
  IPFS_WORDS,
  type RefusalWords,
  serverRefusal,
} from "./server-refusal.ts";
import { type StagedBytes, stageBytes } from "./staging.ts";
import type { WorkingFiles } from "./working-files.ts";

export interface UploadOptions {
  readonly contents: ContentStore;
  readonly pipeline: Pipeline;
  readonly budgets: Budgets;
  readonly graceRoom: GraceRoom;
  readonly checkFunds: UploadServices["checkFunds"];
  /** Keeps the collection away from what is being stored until its record is durable. */
  readonly holds: FileHolds;
  /** Folder for what is being received. */
  readonly stagingFolder: string;
  readonly files: WorkingFiles;
}

/** Uploads into the content store of this node, which knows UnixFS and CAR by itself: IPFS is always there. */
export function createUploads(options: UploadOptions): UploadServices {
  const { contents, pipeline, budgets, graceRoom, holds, files, stagingFolder: folder } = options;
  return {
    ipfsEnabled: true,
    inspectStore: (messageText) => inspectStore(pipeline, messageText),
    checkFunds: options.checkFunds,
    async stageFile(source, { engine, signal, expectedHash }) {
      budgets.assertRoom();
      assertFilesUsable(contents.server, wordsOf(engine));
      const cids = expectedHash === undefined ? (["cidV0"] as const) : (["cidV0", "fixedCid"] as const);
      const namer = new FileNamer(engine === "ipfs" ? ["sha256", ...cids] : ["sha256"]);
      const bytes = await stageBytes(source, {
        folder,
        files,
        signal,
        reservation: budgets.reserveDisk(),
        observe: (piece) => namer.update(piece),
      });
      const { sha256 = "", cidV0 = "", fixedCid } = namer.finish();
      const cid = fixedCid !== undefined && fixedCid === expectedHash ? fixedCid : cidV0;
      return stagedFile({ contents, holds }, bytes, engine, engine === "ipfs" ? cid : sha256);
    },
    async stageCar(source, { signal }) {
      budgets.assertRoom();
      assertFilesUsable(contents.server, CAR_WORDS);
      const bytes = await stageBytes(source, { folder, files, signal, reservation: budgets.reserveDisk() });
      const held = new AsyncDisposableStack();
      held.use(bytes);
      return {
        sizeBytes: bytes.sizeBytes,
        root: () => carRoot(bytes, signal),
        keep: (keepSignal) =>
          storing(CAR_WORDS, async () => {
            held.use(await holds.hold(await carRoot(bytes, keepSignal)));
            return await keepCar(contents, bytes, keepSignal);
          }),
        [Symbol.asyncDispose]: () => held.disposeAsync(),
      };
    },
    reserveGrace: (file) => graceRoom.reserve(file),
    registerFile: ({ hash, sizeBytes, type, sha256, cid, graceUntilMicros }) =>
      pipeline.registerFile(
        {
          hash,
          sizeBytes,
          type,
          sha256: sha256 === null ? null : encodeItemHash(sha256),
          cid: cid === null ? null : encodeItemHash(cid),
        },
        graceUntilMicros,
      ),
  };
}

/** The name is held from `keep` to the end of the staged file, which comes after its registration. */
function stagedFile(
  { contents, holds }: Pick<UploadOptions, "contents" | "holds">,
  bytes: StagedBytes,
  engine: StageOptions["engine"],
  hash: string,
): StagedFile {
  const held = new AsyncDisposableStack();
  held.use(bytes);
  return {
    sizeBytes: bytes.sizeBytes,
    hash,
    keep: () =>
      storing(wordsOf(engine), async () => {
        held.use(await holds.hold(hash));
        return await keepFile(contents, bytes, engine, hash);
      }),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/**
 * Keeps a file under its hash, which the bytes must have. It gets its SHA-256 and the CID of fixed parameters,
 * whichever name it was sent under.
 *
 * @throws BlobError BLOB_HASH_MISMATCH and those of a full disk
 */
export async function keepFile(
  contents: ContentStore,
  bytes: Pick<StagedBytes, "read">,
  engine: StageOptions["engine"],
  hash: string,
): Promise<KeptFile> {
  if (engine === "storage") {
    const put = await contents.putFile(bytes.read(), { expectedHash: hash, names: ["fixedCid"] });
    return { hash, sizeBytes: put.sizeBytes, type: "file", sha256: put.sha256, cid: put.fixedCid ?? null };
  }
  const added = await contents.addFile(bytes.read(), ["cidV0", "fixedCid"], { expectedRoot: hash });
  return {
    hash,
    sizeBytes: added.sizeBytes,
    type: "file",
    sha256: added.sha256,
    cid: added.dags.get("fixedCid")?.root ?? null,
  };
}

async function carRoot(bytes: StagedBytes, signal: AbortSignal): Promise<string> {
  try {
    await using car = await openCar(bytes.read(), signal);
    return car.root.toString();
  } catch (error) {
    if (error instanceof BlobError) throw new CarRefusal("header", error.message);
    throw error;
  }
}

/** Keeps the DAG of a CAR, whose root must be the one that was asked for. @throws BlobError for another, or none */
export async function keepCarBytes(
  contents: ContentStore,
  expectedRoot: string | null,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<KeptFile> {
  const options = expectedRoot === null ? { signal } : { signal, expectedRoot };
  const { record } = await contents.importCar(bytes, options);
  return { hash: record.root, sizeBytes: record.cumulativeSizeBytes, type: "dir", sha256: null, cid: null };
}

async function keepCar(contents: ContentStore, bytes: StagedBytes, signal: AbortSignal): Promise<KeptFile> {
  try {
    return await keepCarBytes(contents, null, bytes.read(), signal);
  } catch (error) {
    if (error instanceof BlobError && isFaultOfCar(error)) throw new CarRefusal("blocks", error.message);
    throw error;
  }
}

const wordsOf = (engine: StageOptions["engine"]): RefusalWords => (engine === "ipfs" ? IPFS_WORDS : {});

/** A store without room is the node's limit, not a fault of the file. */
async function storing<T>(words: RefusalWords, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BlobError && isOutOfRoom(error)) {
      throw new ApiError("API_STORAGE_FULL", `${error.message}: upload to another node`, {
        code: error.code,
      });
    }
    throw serverRefusal(error, words);
  }
}

const isOutOfRoom = (error: BlobError): boolean =>
  error.code === "BLOB_DISK_BUDGET_EXCEEDED" || error.code === "BLOB_FREE_SPACE_LOW";

const isFaultOfCar = (error: BlobError): boolean => !isOutOfRoom(error) && !isServerFailure(error);
