import { Readable } from "node:stream";
import {
  type _Object,
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  type S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { isAbortOf } from "@twentysix/platform";
import { isBlobName } from "../blob-paths.ts";
import type { ResolvedRange } from "../blob-range.ts";
import type { BlobStat } from "../blob-store.ts";
import type { RemoteFailure } from "../remote/remote-failure.ts";
import type { Addresser, RemoteObject, RemoteObjects } from "../remote/remote-objects.ts";
import { s3Failure } from "./s3-failure.ts";

const MIB = 1024 * 1024;
/** Bytes of one part, each of which is sent and checked on its own; a smaller object is sent at once. */
const PART_BYTES = 8 * MIB;
/** S3 takes 10,000 parts. */
const MAX_PARTS = 9_000;
/** Parts on their way at once: with their size, the memory of an upload. */
const PARTS_AT_ONCE = 2;

/** Objects of a bucket by SHA-256, under keys like the paths of the file store: `files/ab/abcd…`. */
export class S3Objects implements RemoteObjects {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  /** @param prefix what all keys begin with, ending in a slash */
  constructor(client: S3Client, bucket: string, prefix: string) {
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  addresser(): Addresser {
    return { update: () => undefined, finish: (sha256) => this.addressOf(sha256) };
  }

  addressOf(sha256: string): string {
    return `${this.#prefix}${sha256.slice(0, 2)}/${sha256}`;
  }

  /** The server checks the SHA-256 of each part; the object appears when the last one is there. */
  async put(object: RemoteObject, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const upload = new Upload({
      client: endingWith(this.#client, signal),
      params: {
        Bucket: this.#bucket,
        Key: object.address,
        Body: Readable.from(bytes, { objectMode: false }),
        ChecksumAlgorithm: "SHA256",
        ContentType: "application/octet-stream",
      },
      partSize: Math.max(PART_BYTES, Math.ceil(object.sizeBytes / MAX_PARTS)),
      queueSize: PARTS_AT_ONCE,
    });
    await this.#try(signal, async () => {
      await upload.done();
    });
  }

  async *read(
    { address }: RemoteObject,
    { startBytes, endBytes }: ResolvedRange,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const command = new GetObjectCommand({
      Bucket: this.#bucket,
      Key: address,
      Range: `bytes=${startBytes}-${endBytes - 1}`,
    });
    try {
      const { Body } = await this.#client.send(command, { abortSignal: signal });
      if (Body !== undefined) yield* Body as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw failureOf(error, signal);
    }
  }

  async sizeOf(address: string, _record: unknown, signal: AbortSignal): Promise<number | undefined> {
    const command = new HeadObjectCommand({ Bucket: this.#bucket, Key: address });
    try {
      return (await this.#client.send(command, { abortSignal: signal })).ContentLength ?? 0;
    } catch (error) {
      const failure = failureOf(error, signal);
      if (isMissing(failure)) return undefined;
      throw failure;
    }
  }

  async remove(address: string, signal: AbortSignal): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.#bucket, Key: address });
    await this.#try(signal, async () => {
      await this.#client.send(command, { abortSignal: signal });
    });
  }

  /** The parts that came are seen by nobody and paid for all the same. One object has few such uploads, if any. */
  async abandon(address: string, signal: AbortSignal): Promise<void> {
    const place = { Bucket: this.#bucket, Key: address };
    const options = { abortSignal: signal };
    await this.#try(signal, async () => {
      const begun = new ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: address });
      const { Uploads = [] } = await this.#client.send(begun, options);
      for (const { UploadId } of Uploads) {
        await this.#client.send(new AbortMultipartUploadCommand({ ...place, UploadId }), options);
      }
    });
  }

  async *list(after: string | undefined, signal: AbortSignal): AsyncGenerator<BlobStat, void, undefined> {
    const pages = paginateListObjectsV2(
      { client: this.#client },
      {
        Bucket: this.#bucket,
        Prefix: this.#prefix,
        ...(after === undefined ? {} : { StartAfter: this.addressOf(after) }),
      },
      { abortSignal: signal },
    );
    try {
      for await (const { Contents = [] } of pages)
        yield* Contents.map(statOf).filter((stat) => stat !== null);
    } catch (error) {
      throw failureOf(error, signal);
    }
  }

  async #try(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw failureOf(error, signal);
    }
  }
}

/**
 * The same client, whose requests end with the signal. `Upload.abort` would let those on their way go on; the order
 * to drop the parts that were sent is given all the same.
 */
function endingWith(client: S3Client, signal: AbortSignal): S3Client {
  const send = (command: Parameters<S3Client["send"]>[0]): unknown =>
    client.send(command, command instanceof AbortMultipartUploadCommand ? {} : { abortSignal: signal });
  return Object.assign(Object.create(client) as S3Client, { send });
}

/** The SDK has errors of its own for an abort: the caller knows its reason better. */
function failureOf(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || isAbortOf(signal, error)) return signal.reason;
  return s3Failure(error);
}

const isMissing = (failure: unknown): boolean => (failure as RemoteFailure).kind === "missing";

/** Foreign objects under the prefix are none of ours. */
function statOf({ Key = "", Size = 0 }: _Object): BlobStat | null {
  const sha256 = Key.slice(Key.lastIndexOf("/") + 1);
  return isBlobName(sha256) ? { sha256, sizeBytes: Size } : null;
}
