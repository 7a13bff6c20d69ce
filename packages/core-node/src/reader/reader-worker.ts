import { parentPort, workerData } from "node:worker_threads";
import { createSystemClock, createSystemTimers } from "@twentysix/platform";
import type { Piece } from "@twentysix/storage";
import { createSqliteListReads, openConnection, type ReadBudget, ReadError } from "@twentysix/storage/reader";
import type { ReaderData, ReaderRequest, ReaderResponse } from "./reader-protocol.ts";
import { runReadCall } from "./run-read-call.ts";

/*
 * Thread: lists and streams on a read-only connection, so that the main thread never waits for the disk.
 */

const main = parentPort;
if (main === null) throw new Error("This file is started as a worker thread");
const { databasePath, cacheBytes, cancelled } = workerData as ReaderData;
const cancelledId = new Int32Array(cancelled);
const clock = createSystemClock();
const timers = createSystemTimers();
const reads = createSqliteListReads(
  openConnection(databasePath, { readOnly: true, cacheBytes, purpose: "lists" }),
);

/** A text of which no piece was asked for that long is held for nobody. */
const RELEASE_TEXTS_MS = 5_000;
let cancelRelease = (): void => {};

const respond = (response: ReaderResponse, transfer: ArrayBuffer[] = []): void =>
  main.postMessage(response, transfer);

function budgetOf({ id, timeoutMs }: ReaderRequest): ReadBudget {
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  return {
    checkpoint: () => {
      const isLate = clock.monotonicMs() > deadlineMs;
      if (isLate || Atomics.load(cancelledId, 0) === id) {
        throw new ReadError("READ_TIMEOUT", "the read was given up: ask for less, or narrow the filters", {
          timeoutMs,
        });
      }
    },
  };
}

main.on("message", (request: ReaderRequest) => {
  const { id } = request;
  try {
    const value = runReadCall(reads, request.call, budgetOf(request));
    if (request.call.kind !== "piece") return respond({ kind: "value", id, value });
    respond({ kind: "value", id, value }, [(value as Piece).bytes.buffer]);
    cancelRelease();
    cancelRelease = timers.schedule(RELEASE_TEXTS_MS, () => reads.releaseTexts());
  } catch (error) {
    if (error instanceof ReadError) {
      respond({ kind: "refused", id, code: error.code, message: error.message, details: error.details });
    } else respond({ kind: "failed", id, error });
  }
});
respond({ kind: "ready" });
