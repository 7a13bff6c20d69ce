import { parentPort, workerData } from "node:worker_threads";
import { createSystemClock, createSystemTimers, keepHeapSmall } from "@twentysix/platform";
import type { ReaderData } from "./reader-protocol.ts";
import { runReader } from "./run-reader.ts";

/*
 * Thread: lists and streams on a read-only connection, so that the main thread never waits for the disk.
 */

if (parentPort === null) throw new Error("This file is started as a worker thread");
keepHeapSmall();
runReader(workerData as ReaderData, {
  main: parentPort,
  clock: createSystemClock(),
  timers: createSystemTimers(),
});
