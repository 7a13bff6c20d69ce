import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeItemHash, isJsonObject, memberOf, parseJson } from "@twentysix/protocol";
import {
  CarRefusal,
  type DownloadServices,
  type FundsVerdict,
  type KeptFile,
  type OpenOptions,
  type StagedCar,
  type StagedFile,
  type StageOptions,
  type StoreClaim,
  type StoreInspection,
  type UploadServices,
} from "../../../src/api/services.ts";

/** Files in a temporary folder: received for real, with the judgement of messages in the hands of the test. */
export class FolderFiles implements UploadServices, DownloadServices {
  readonly folder: string;
  readonly registered: (KeptFile & { readonly graceUntilMicros: bigint })[] = [];
  ipfsEnabled = true;
  funds: FundsVerdict = { ok: true };
  /** Set to refuse the signature of every message. */
  badSignature = false;
  /** Where registrations go on to. */
  onRegister: (file: KeptFile, graceUntilMicros: bigint) => Promise<void> = async () => {};
  carRoot = "";
  carImport: () => KeptFile = () => {
    throw new CarRefusal("blocks", "a block is missing");
  };
  #temporary = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<FolderFiles> {
    return new FolderFiles(await mkdtemp(join(tmpdir(), "twentysix-api-")));
  }

  async names(): Promise<string[]> {
    return (await readdir(this.folder)).sort();
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  inspectStore = async (messageText: string): Promise<StoreInspection> => {
    if (this.badSignature) return { ok: false, refusal: "signature", reason: "it was made by another key" };
    const message = parseJson(messageText);
    if (!message.ok || !isJsonObject(message.value))
      return { ok: false, refusal: "malformed", reason: "no object" };
    const content = parseJson(String(memberOf(message.value, "item_content")));
    const fields = content.ok && isJsonObject(content.value) ? content.value : {};
    const fileHash = memberOf(fields, "item_hash");
    if (typeof fileHash !== "string")
      return { ok: false, refusal: "malformed", reason: "item_hash is missing" };
    const store: StoreClaim = {
      itemHash: String(memberOf(message.value, "item_hash")),
      fileHash,
      fileItemType: memberOf(fields, "item_type") === "ipfs" ? "ipfs" : "storage",
      owner: "0xOwner",
      paymentType: null,
      sender: "0xOwner",
      chain: "ETH",
      timeMicros: 0n,
      contentText: "{}",
    };
    return { ok: true, store };
  };

  /** Set to refuse what comes without a message. */
  graceRefusal: Error | null = null;

  reserveGrace = async (): Promise<Disposable> => {
    if (this.graceRefusal !== null) throw this.graceRefusal;
    return { [Symbol.dispose]: () => undefined };
  };

  checkFunds = async (): Promise<FundsVerdict> => this.funds;

  async stageFile(source: AsyncIterable<Uint8Array>, { engine }: StageOptions): Promise<StagedFile> {
    const { path, sizeBytes, sha256 } = await this.#receive(source);
    const hash = engine === "storage" ? sha256 : smallFileCid(await readFile(path));
    return {
      sizeBytes,
      hash,
      keep: async () => {
        await rename(path, join(this.folder, hash));
        return { hash, sizeBytes, type: "file", sha256, cid: null };
      },
      [Symbol.asyncDispose]: () => rm(path, { force: true }),
    };
  }

  async stageCar(source: AsyncIterable<Uint8Array>): Promise<StagedCar> {
    const { path, sizeBytes } = await this.#receive(source);
    return {
      sizeBytes,
      root: async () => {
        if (this.carRoot === "") throw new CarRefusal("header", "unsupported CAR version: 2");
        return this.carRoot;
      },
      keep: async () => this.carImport(),
      [Symbol.asyncDispose]: () => rm(path, { force: true }),
    };
  }

  async registerFile(file: KeptFile & { readonly graceUntilMicros: bigint }): Promise<void> {
    this.registered.push(file);
    await this.onRegister(file, file.graceUntilMicros);
  }

  readonly isServed = (fileHash: string): Promise<boolean> => this.isHeld(fileHash);

  isHeld = async (hash: string): Promise<boolean> => (await this.names()).includes(hash);

  async openFile(hash: string, { range }: OpenOptions): Promise<AsyncIterable<Uint8Array> | null> {
    if (!(await this.names()).includes(hash)) return null;
    if (range !== undefined && range.end <= range.start) return nothing();
    return createReadStream(
      join(this.folder, hash),
      range === undefined ? {} : { start: range.start, end: range.end - 1 },
    );
  }

  async openTar(hash: string): Promise<AsyncIterable<Uint8Array> | null> {
    return this.openFile(hash, { signal: AbortSignal.abort() });
  }

  async #receive(source: AsyncIterable<Uint8Array>) {
    this.#temporary += 1;
    const path = join(this.folder, `part-${this.#temporary}`);
    const hash = createHash("sha256");
    let sizeBytes = 0;
    await using file = await open(path, "w");
    try {
      for await (const piece of source) {
        hash.update(piece);
        sizeBytes += piece.length;
        await file.write(piece);
      }
    } catch (error) {
      await rm(path);
      throw error;
    }
    return { path, sizeBytes, sha256: hash.digest("hex") };
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}

/** CIDv0 of a file of one chunk: a UnixFS leaf in a DAG-PB node. */
export function smallFileCid(bytes: Buffer): string {
  const field = (tag: number, value: Buffer): Buffer =>
    Buffer.concat([Buffer.of(tag), varint(value.length), value]);
  const data = bytes.length === 0 ? Buffer.alloc(0) : field(0x12, bytes);
  const unixfs = Buffer.concat([Buffer.of(0x08, 0x02), data, Buffer.of(0x18), varint(bytes.length)]);
  const digest = createHash("sha256").update(field(0x0a, unixfs)).digest();
  return decodeItemHash(Buffer.concat([Buffer.of(0x12, 0x20), digest]));
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Buffer.from([...bytes, rest]);
}
