import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import {
  createMemoryLogger,
  createSeededRandom,
  createSystemClock,
  createSystemTimers,
} from "@twentysix/platform";
import { encodeItemHash, type LocalAccount, type NetworkDefinition } from "@twentysix/protocol";
import { ContentStore } from "@twentysix/storage";
import { type VerifyReport, verifyData } from "../../src/archive/verify-data.ts";
import type { Signed } from "../pipeline/support/signed.ts";
import type { StateHarness } from "../pipeline/support/state-harness.ts";

const timers = createSystemTimers();

/** The folder of a node's database; its files are in `contents` below. */
export const folderOf = (node: StateHarness): string => dirname(node.databasePath);

/** Where the store of a node keeps the bytes of a file. */
export const blobPath = (folder: string, sha256: string): string =>
  join(folder, "contents", "files", sha256.slice(0, 2), sha256);

export const openContents = (folder: string): Promise<ContentStore> =>
  ContentStore.open({ folder: join(folder, "contents"), timers });

/** Gives a node the bytes of the test files and of further texts, a directory and a file under its CID. */
export async function holdFiles(node: StateHarness, texts: readonly string[] = []): Promise<void> {
  await using contents = await openContents(folderOf(node));
  const files = [0, 1, 2, 3, 4].map((n) => `test file ${n}`);
  for (const text of [...files, ...texts]) {
    const put = await contents.putFile([Buffer.from(text)], { names: ["fixedCid"] });
    node.contents.set(put.sha256, text);
    register(node, { ...put, hash: put.sha256, type: "file", cid: put.fixedCid ?? null });
  }
  const bytes = Buffer.from("under a CID ".repeat(50_000));
  const added = await contents.addFile([bytes], ["cidV0", "fixedCid"]);
  const [root, cid] = [added.dags.get("cidV0")?.root ?? "", added.dags.get("fixedCid")?.root ?? null];
  register(node, { ...added, hash: root, type: "file", cid });
  const { record } = await contents.addDirectory([{ path: "a/b.txt", content: [bytes] }], 1);
  const sizeBytes = record.cumulativeSizeBytes;
  register(node, { hash: record.root, sizeBytes, type: "dir", sha256: null, cid: null });
}

function register(
  node: StateHarness,
  file: {
    readonly hash: string;
    readonly sizeBytes: number;
    readonly type: "file" | "dir";
    readonly sha256: string | null;
    readonly cid: string | null;
  },
): void {
  const { hash, sizeBytes, type } = file;
  const bytesOf = (name: string | null): Uint8Array | null => (name === null ? null : encodeItemHash(name));
  node.store.begin();
  const names = { sha256: bytesOf(file.sha256), cid: bytesOf(file.cid) };
  node.store.registerFile({ hash, sizeBytes, type, ...names }, node.nowMicros, null);
  node.store.finish();
  node.store.commit();
}

export interface StoredContent {
  readonly message: Signed;
  /** The bytes to upload before it. */
  readonly content: string;
}

/** A signed post whose content is a file. */
export function storedPost(account: LocalAccount, time: number, body: string): StoredContent {
  const content = JSON.stringify({ address: account.address, time, type: "note", content: { body } });
  const hash = createHash("sha256").update(content).digest("hex");
  const timeMicros = BigInt(Math.round(time * 1e6));
  const envelope = {
    chain: account.chain,
    sender: account.address,
    type: "POST",
    channel: "TEST",
    time,
    item_type: "storage",
    item_hash: hash,
    signature: account.sign({ type: "POST", itemHash: hash, timeMicros }),
  };
  return { message: { hash, text: JSON.stringify(envelope) }, content };
}

/** `verify` over the folder of a node that rests. */
export async function verifyFolder(folder: string, definition: NetworkDefinition): Promise<VerifyReport> {
  return await verifyData({
    databasePath: join(folder, "messages.sqlite"),
    contentsFolder: join(folder, "contents"),
    scratchFolder: folder,
    definition,
    clock: createSystemClock(),
    timers,
    random: createSeededRandom(1),
    log: createMemoryLogger(),
    signal: new AbortController().signal,
  });
}
