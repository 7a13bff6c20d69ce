import { NetworkError } from "@twentysix/network";
import type { Clock, Timers } from "@twentysix/platform";

export interface MovingOptions {
  /** Who sends. */
  readonly name: string;
  readonly maxBytes: number;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Timers;
}

/** Who sends nothing for so long, or less than that within it, or is not done by then, is given up. */
const STALL_MS = 15_000;
const LEAST_BYTES = 64 * 1024;
const MAX_TRANSFER_MS = 3_600_000;

/**
 * What somebody sends, for as long as it comes: a byte now and then would keep a place that others could use. Only the
 * time counts in which it is waited for. @throws NetworkError NETWORK_PEER_FAILED
 */
export async function* whileItMoves(
  bytes: AsyncIterable<Uint8Array>,
  { name, maxBytes, clock, timers }: MovingOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const endMs = clock.monotonicMs() + MAX_TRANSFER_MS;
  const pieces = bytes[Symbol.asyncIterator]();
  let [sizeBytes, waitedMs, cameBytes] = [0, 0, 0];
  for (;;) {
    const askedMs = clock.monotonicMs();
    const next = await timers
      .withTimeout(STALL_MS, () => pieces.next())
      .catch((cause: unknown) => {
        if (cause instanceof NetworkError) throw cause;
        throw new NetworkError("NETWORK_PEER_FAILED", `${name} sends nothing any more`, { cause });
      });
    if (next.done === true) return;
    sizeBytes += next.value.byteLength;
    cameBytes += next.value.byteLength;
    waitedMs += clock.monotonicMs() - askedMs;
    if (cameBytes >= LEAST_BYTES) [waitedMs, cameBytes] = [0, 0];
    if (waitedMs > STALL_MS) throw new NetworkError("NETWORK_PEER_FAILED", `${name} sends next to nothing`);
    if (sizeBytes > maxBytes || clock.monotonicMs() > endMs)
      throw new NetworkError("NETWORK_PEER_FAILED", `${name} sends more, or for longer, than is taken`);
    yield next.value;
  }
}
