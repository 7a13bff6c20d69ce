import { parentPort, workerData } from "node:worker_threads";
import { createSystemClock } from "@twentysix/platform";
import {
  createSqliteListReads,
  type ReadBudget,
  ReadError,
  SqliteConnection,
} from "@twentysix/storage/reader";
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
const reads = createSqliteListReads(new SqliteConnection(databasePath, { readOnly: true, cacheBytes }));

const respond = (response: ReaderResponse): void => main.postMessage(response);

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
    respond({ kind: "value", id, value: runReadCall(reads, request.call, budgetOf(request)) });
  } catch (error) {
    if (error instanceof ReadError) {
      respond({ kind: "refused", id, code: error.code, message: error.message, details: error.details });
    } else respond({ kind: "failed", id, error });
  }
});
respond({ kind: "ready" });
