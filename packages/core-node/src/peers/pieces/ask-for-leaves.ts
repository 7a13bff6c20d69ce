import { NetworkError, type PeerStreams } from "@twentysix/network";
import type { Clock, Timers } from "@twentysix/platform";
import { askForContent } from "../content-protocol.ts";
import { whileItMoves } from "../sources/while-it-moves.ts";
import { DIGEST_BYTES, LEAF_BYTES, leafCount, leafLength } from "./leaves.ts";
import type { Span } from "./piece-plan.ts";
import type { LeafClaim, StagedPieces } from "./staged-pieces.ts";

export interface LeafPeers {
  readonly streams: PeerStreams;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Timers;
}

/** What a peer says that a file consists of; null: it does not have it. @throws NetworkError NETWORK_PEER_FAILED */
export async function askForClaim(
  { streams, clock, timers }: LeafPeers,
  peerId: string,
  hash: string,
  maxFileBytes: number,
  signal: AbortSignal,
): Promise<LeafClaim | null> {
  const request = { hash, offset: 0, length: null, part: "leaves" } as const;
  const { head, bytes, end } = await askForContent(streams, peerId, request, signal);
  try {
    if (head.state !== "found" || head.form !== "leaves" || head.size === null) return null;
    const { size: sizeBytes } = head;
    const maxBytes = leafCount(Math.min(sizeBytes, maxFileBytes)) * DIGEST_BYTES;
    const moving = whileItMoves(bytes, { name: peerId, maxBytes, clock, timers });
    const leaves = Buffer.concat(await Array.fromAsync(moving));
    if (sizeBytes > maxFileBytes || leaves.byteLength !== leafCount(sizeBytes) * DIGEST_BYTES)
      throw new NetworkError(
        "NETWORK_PEER_FAILED",
        `the leaves that ${peerId} tells of ${hash} make no file`,
      );
    return { claimant: peerId, sizeBytes, leaves };
  } finally {
    end();
  }
}

export interface WantedLeaves {
  readonly hash: string;
  readonly pieces: StagedPieces;
  readonly span: Span;
  /** Told of each that is what the claim says; what it throws ends the transfer. */
  readonly onLeaf: (bytes: number) => void;
}

/**
 * Gets leaves from a peer and keeps those that are what the claim says. The index of the first that is not; null: all
 * are.
 *
 * @throws NetworkError NETWORK_PEER_FAILED
 */
export async function getLeaves(
  { streams, clock, timers }: LeafPeers,
  peerId: string,
  { hash, pieces, span: { from, to }, onLeaf }: WantedLeaves,
  signal: AbortSignal,
): Promise<number | null> {
  const { sizeBytes } = pieces.claim;
  const offset = from * LEAF_BYTES;
  const length = Math.min(to * LEAF_BYTES, sizeBytes) - offset;
  const request = { hash, offset, length, part: "content" } as const;
  const { head, bytes, end } = await askForContent(streams, peerId, request, signal);
  try {
    if (head.state !== "found" || head.form !== "bytes")
      throw new NetworkError("NETWORK_PEER_FAILED", `${peerId} does not have ${hash} now`);
    const moving = whileItMoves(bytes, { name: peerId, maxBytes: length, clock, timers });
    let index = from;
    for await (const leaf of cut(moving, () => leafLength(sizeBytes, index))) {
      if (!(await pieces.put(index, leaf))) return index;
      onLeaf(leaf.byteLength);
      index += 1;
    }
    if (index < to)
      throw new NetworkError("NETWORK_PEER_FAILED", `${peerId} sent less of ${hash} than it has`);
    return null;
  } finally {
    end();
  }
}

/** Bytes in pieces of the lengths that are asked for, one after the other. */
async function* cut(
  bytes: AsyncIterable<Uint8Array>,
  nextLength: () => number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let held = Buffer.alloc(0);
  for await (const piece of bytes) {
    held = held.byteLength === 0 ? Buffer.from(piece) : Buffer.concat([held, piece]);
    for (let length = nextLength(); length > 0 && held.byteLength >= length; length = nextLength()) {
      yield held.subarray(0, length);
      held = held.subarray(length);
    }
  }
}
