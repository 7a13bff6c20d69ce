import type { PeerStream, PeerStreams } from "@twentysix/network";
import { itemTypeOfHash } from "@twentysix/protocol";
import type { ContentStore, FileRecords, PointReads } from "@twentysix/storage";
import type { FileHolds } from "../content/file-holds.ts";
import {
  CONTENT_PROTOCOL,
  type ContentRequest,
  readRequest,
  sendBytes,
  sendHead,
} from "./content-protocol.ts";
import { leavesOf } from "./pieces/leaves.ts";
import { shardListOf } from "./shards/shard-list.ts";

export interface ContentServerOptions {
  readonly streams: PeerStreams;
  readonly contents: ContentStore;
  readonly holds: FileHolds;
  readonly reads: Pick<PointReads, "file">;
  readonly records: Pick<FileRecords, "keptFile">;
}

/** Contents that are sent at once, to all peers together and to one. */
const MAX_ANSWERS = 32;
const MAX_ANSWERS_PER_PEER = 8;
/** Lists of leaves that are remembered; making one reads its file. */
const MAX_LEAF_LISTS = 16;

/** Gives peers what this node has a record of, and nothing else. */
export class ContentServer {
  readonly #options: ContentServerOptions;
  readonly #answers = new Map<string, number>();
  readonly #leafLists = new Map<string, Promise<Uint8Array>>();
  readonly close: () => void;

  constructor(options: ContentServerOptions) {
    this.#options = options;
    this.close = options.streams.handle(CONTENT_PROTOCOL, (stream) => this.#answer(stream));
  }

  async #answer(stream: PeerStream): Promise<void> {
    const { peerId } = stream;
    const request = await readRequest(stream);
    const count = this.#answers.get(peerId) ?? 0;
    const all = [...this.#answers.values()].reduce((sum, one) => sum + one, 0);
    if (count >= MAX_ANSWERS_PER_PEER || all >= MAX_ANSWERS) {
      await sendHead(stream, { state: "busy" });
      await stream.end();
      return;
    }
    this.#answers.set(peerId, count + 1);
    try {
      if (request.part === "shards") await this.#sendShardList(stream, request.hash);
      else if (request.part === "shard") await this.#sendShard(stream, request.hash, request.position ?? 0);
      else await this.#send(stream, request);
      await stream.end();
    } finally {
      const left = (this.#answers.get(peerId) ?? 1) - 1;
      if (left === 0) this.#answers.delete(peerId);
      else this.#answers.set(peerId, left);
    }
  }

  async #send(stream: PeerStream, { hash, offset, length, part }: ContentRequest): Promise<void> {
    const { contents, holds, reads } = this.#options;
    using _hold = await holds.hold(hash);
    const file = await reads.file(hash);
    const stat = file === null ? undefined : await contents.stat(hash);
    if (file === null || stat === undefined) {
      await sendHead(stream, { state: "absent" });
      return;
    }
    if (itemTypeOfHash(hash) === "ipfs") {
      await sendHead(stream, { state: "found", form: "car", size: null });
      await sendBytes(stream, contents.exportCar(hash));
      return;
    }
    const { sizeBytes: size } = file;
    if (part === "leaves") {
      const leaves = await this.#leaves(hash);
      await sendHead(stream, { state: "found", form: "leaves", size });
      await sendBytes(stream, [leaves]);
      return;
    }
    const lengthBytes = Math.max(0, Math.min(size - offset, length ?? size));
    await sendHead(stream, { state: "found", form: "bytes", size });
    await sendBytes(stream, contents.read(hash, { range: { offsetBytes: offset, lengthBytes } }));
  }

  async #sendShardList(stream: PeerStream, hash: string): Promise<void> {
    const coding = (await this.#options.records.keptFile(hash))?.coding ?? null;
    if (coding === null) {
      await sendHead(stream, { state: "absent" });
      return;
    }
    const list = new TextEncoder().encode(JSON.stringify(shardListOf(coding)));
    await sendHead(stream, { state: "found", form: "shards", size: list.byteLength });
    await sendBytes(stream, [list]);
  }

  async #sendShard(stream: PeerStream, hash: string, position: number): Promise<void> {
    const { contents, holds, records } = this.#options;
    const shard = (await records.keptFile(hash))?.coding?.shards[position];
    using _hold = shard === undefined ? null : await holds.hold(shard.cid);
    const stat = shard?.isHeld === true ? await contents.stat(shard.cid) : undefined;
    if (shard === undefined || stat === undefined) {
      await sendHead(stream, { state: "absent" });
      return;
    }
    await sendHead(stream, { state: "found", form: "bytes", size: stat.sizeBytes });
    await sendBytes(stream, contents.read(shard.cid));
  }

  /** Asked by several peers at once it is made once. */
  async #leaves(hash: string): Promise<Uint8Array> {
    const known = this.#leafLists.get(hash);
    this.#leafLists.delete(hash);
    const leaves = known ?? leavesOf(this.#options.contents.read(hash));
    this.#leafLists.set(hash, leaves);
    for (const oldest of this.#leafLists.keys())
      if (this.#leafLists.size > MAX_LEAF_LISTS) this.#leafLists.delete(oldest);
    try {
      return await leaves;
    } catch (error) {
      this.#leafLists.delete(hash);
      throw error;
    }
  }
}
