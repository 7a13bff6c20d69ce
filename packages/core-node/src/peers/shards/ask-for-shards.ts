import { createHash } from "node:crypto";
import { NetworkError, type PeerStreams } from "@twentysix/network";
import type { Clock, Timers } from "@twentysix/platform";
import type { WorkingFile } from "../../content/working-files.ts";
import { askForContent } from "../content-protocol.ts";
import { whileItMoves } from "../sources/while-it-moves.ts";
import { readShardList, type ShardList } from "./shard-list.ts";

export interface ShardPeers {
  readonly streams: PeerStreams;
  readonly maxFileBytes: number;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Timers;
}

const MAX_LIST_BYTES = 64 * 1024;
/** Who has not begun to answer by then has nothing. */
const ANSWER_MS = 10_000;

/** What a peer says of a file's shards; null: it knows of none. @throws NetworkError NETWORK_PEER_FAILED */
export async function askForShardList(
  { streams, maxFileBytes, clock, timers }: ShardPeers,
  peerId: string,
  hash: string,
  signal: AbortSignal,
): Promise<ShardList | null> {
  const request = { hash, offset: 0, length: null, part: "shards" } as const;
  const { head, bytes, end } = await timers.withTimeout(
    ANSWER_MS,
    (stop) => askForContent(streams, peerId, request, stop),
    signal,
  );
  try {
    if (head.state !== "found" || head.form !== "shards") return null;
    const moving = whileItMoves(bytes, { name: peerId, maxBytes: MAX_LIST_BYTES, clock, timers });
    const text = Buffer.concat(await Array.fromAsync(moving)).toString("utf8");
    const list = readShardList(text, maxFileBytes);
    if (list === null)
      throw new NetworkError("NETWORK_PEER_FAILED", `what ${peerId} tells of the shards of ${hash} is none`);
    return list;
  } finally {
    end();
  }
}

export interface WantedShard {
  readonly hash: string;
  readonly position: number;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * Gets a shard of a peer into an empty file. False: what it sent is not the shard.
 *
 * @throws NetworkError NETWORK_PEER_FAILED
 */
export async function getShard(
  { streams, clock, timers }: ShardPeers,
  peerId: string,
  { hash, position, sha256, sizeBytes }: WantedShard,
  file: WorkingFile,
  signal: AbortSignal,
): Promise<boolean> {
  const request = { hash, offset: 0, length: null, part: "shard", position } as const;
  const { head, bytes, end } = await timers.withTimeout(
    ANSWER_MS,
    (stop) => askForContent(streams, peerId, request, stop),
    signal,
  );
  try {
    if (head.state !== "found" || head.form !== "bytes")
      throw new NetworkError(
        "NETWORK_PEER_FAILED",
        `${peerId} does not have shard ${position} of ${hash} now`,
      );
    const digest = createHash("sha256");
    let offsetBytes = 0;
    for await (const piece of whileItMoves(bytes, { name: peerId, maxBytes: sizeBytes, clock, timers })) {
      signal.throwIfAborted();
      digest.update(piece);
      await file.writeAt(offsetBytes, piece);
      offsetBytes += piece.byteLength;
    }
    return digest.digest("hex") === sha256;
  } finally {
    end();
  }
}
