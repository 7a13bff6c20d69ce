import { decodeItemHash } from "@twentysix/protocol";
import {
  BlobError,
  type ContentStore,
  FILE_DAMAGES,
  FILE_TYPES,
  FileNamer,
  isServerFailure,
  type SqlConnection,
} from "@twentysix/storage";
import type { Problems } from "./problems.ts";

interface FileRow {
  readonly hash: Uint8Array;
  readonly size: bigint;
  readonly type: bigint;
  readonly sha256: Uint8Array | null;
  readonly cid: Uint8Array | null;
}

/** Reads every file that is registered as held here, and not given up because others keep it, and holds its bytes against all its names and its size. */
export async function checkFiles(
  stored: SqlConnection,
  contents: ContentStore,
  problems: Problems,
  signal: AbortSignal,
): Promise<void> {
  for (const row of stored.iterateBig<FileRow>(
    `SELECT hash, size, type, sha256, cid FROM files
     WHERE id NOT IN (SELECT file_id FROM damaged_files WHERE reason = ${FILE_DAMAGES.indexOf("elsewhere")}) ORDER BY id`,
  )) {
    signal.throwIfAborted();
    const name = decodeItemHash(row.hash);
    try {
      for (const problem of await problemsOf(name, row, contents, signal)) problems.report("files", problem);
    } catch (error) {
      if (!(error instanceof BlobError) || isServerFailure(error)) throw error;
      problems.report("files", `${name} is registered as held: ${error.message} (${error.code})`);
    }
  }
}

async function problemsOf(
  name: string,
  row: FileRow,
  contents: ContentStore,
  signal: AbortSignal,
): Promise<string[]> {
  const held = await contents.stat(name, signal);
  if (held === undefined) return [`${name} is registered as held and is missing`];
  if (held.type !== FILE_TYPES[Number(row.type)]) return [`${name} is a ${held.type}, registered as another`];
  return held.type === "file" && row.sha256 !== null
    ? await checkBytes(name, row, contents, signal)
    : await checkBlocks(name, row, held.cumulativeSizeBytes, contents, signal);
}

/** A file that came as bytes: all its names are computed from them. */
async function checkBytes(
  name: string,
  row: FileRow,
  contents: ContentStore,
  signal: AbortSignal,
): Promise<string[]> {
  const namer = new FileNamer(["sha256", "cidV0", "fixedCid"]);
  for await (const piece of contents.read(name, { signal })) namer.update(piece);
  const found = namer.finish();
  const problems: string[] = [];
  if (![found.sha256, found.cidV0, found.fixedCid].includes(name)) {
    problems.push(`${name}: the bytes have not this hash (SHA-256 ${found.sha256})`);
  }
  const expect = (what: string, is: string | bigint | null, shouldBe: string | bigint | undefined): void => {
    if (is !== null && is !== shouldBe) problems.push(`${name}: ${what} is ${is}, computed ${shouldBe}`);
  };
  expect("sha256", textOf(row.sha256), found.sha256);
  expect("cid", textOf(row.cid), found.fixedCid);
  expect("size", row.size, BigInt(found.sizeBytes));
  return problems;
}

/** A DAG that came as blocks: each is held against its CID as it is read, from the root on. */
async function checkBlocks(
  name: string,
  row: FileRow,
  sizeBytes: number,
  contents: ContentStore,
  signal: AbortSignal,
): Promise<string[]> {
  for await (const _piece of contents.exportCar(name, { signal })) signal.throwIfAborted();
  return row.size === BigInt(sizeBytes) ? [] : [`${name}: size is ${row.size}, computed ${sizeBytes}`];
}

const textOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : decodeItemHash(bytes));
