import type { PeerStream, PeerStreams } from "@twentysix/network";
import type { Clock } from "@twentysix/platform";
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
  readonly clock: Pick<Clock, "monotonicMs">;
}

interface Answer {
  readonly stream: PeerStream;
  readonly startedMs: number;
  sentBytes: number;
}

/** Contents that are sent at once, to all peers together and to one. */
const MAX_ANSWERS = 32;
const MAX_ANSWERS_PER_PEER = 8;
/** When all places are taken, one who has had so much time and took less than that a second leaves his. */
const PATIENCE_MS = 10_000;
const LEAST_BYTES_PER_SECOND = 64 * 1024;
/** Lists of leaves that are remembered; making one reads its file. */
const MAX_LEAF_LISTS = 16;

/** Gives peers what this node has a record of, and nothing else. */
export class ContentServer {
  readonly #options: ContentServerOptions;
  readonly #answers = new Set<Answer>();
  readonly #leafLists = new Map<string, Promise<Uint8Array>>();
  readonly close: () => void;

  constructor(options: ContentServerOptions) {
    this.#options = options;
    this.close = options.streams.handle(CONTENT_PROTOCOL, (stream) => this.#answer(stream));
  }

  async #answer(stream: PeerStream): Promise<void> {
    const request = await readRequest(stream);
    const ofPeer = [...this.#answers].filter(({ stream: { peerId } }) => peerId === stream.peerId);
    if (ofPeer.length >= MAX_ANSWERS_PER_PEER || !this.#hasPlace()) {
      await sendHead(stream, { state: "busy" });
      await stream.end();
      return;
    }
    const answer = { stream, startedMs: this.#options.clock.monotonicMs(), sentBytes: 0 };
    this.#answers.add(answer);
    try {
      const counting = counted(stream, answer);
      if (request.part === "shards") await this.#sendShardList(counting, request.hash);
      else if (request.part === "shard") await this.#sendShard(counting, request.hash, request.position ?? 0);
      else await this.#send(counting, request);
      await stream.end();
    } finally {
      this.#answers.delete(answer);
    }
  }

  /** Whoever reads so slowly that others cannot be answered is left; what he has is not lost to him. */
  #hasPlace(): boolean {
    if (this.#answers.size < MAX_ANSWERS) return true;
    const nowMs = this.#options.clock.monotonicMs();
    const rateOf = ({ startedMs, sentBytes }: Answer): number => sentBytes / ((nowMs - startedMs) / 1_000);
    const [slowest] = [...this.#answers]
      .filter((one) => nowMs - one.startedMs >= PATIENCE_MS && rateOf(one) < LEAST_BYTES_PER_SECOND)
      .sort((one, other) => rateOf(one) - rateOf(other));
    if (slowest === undefined) return false;
    this.#answers.delete(slowest);
    slowest.stream.abort(new Error("others wait, and the peer takes next to nothing of what it asked for"));
    return true;
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

function counted(stream: PeerStream, answer: Answer): PeerStream {
  return {
    ...stream,
    send: async (bytes) => {
      await stream.send(bytes);
      answer.sentBytes += bytes.byteLength;
    },
  };
}
