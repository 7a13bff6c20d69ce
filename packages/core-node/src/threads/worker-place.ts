import { type MessagePort, parentPort, receiveMessageOnPort } from "node:worker_threads";
import { createSystemClock, createSystemRandom, createSystemTimers, type Logger } from "@twentysix/platform";
import type { ThreadPlace } from "./thread-place.ts";
import type { ThreadPort } from "./threads.ts";

/** The place of a thread of the machine. */
export function workerPlace<Sent, Received>(log: Logger): ThreadPlace<Sent, Received> {
  if (parentPort === null) throw new Error("This file is started as a worker thread");
  return {
    main: parentPort as ThreadPort<Sent, Received>,
    receive: <T>(port: ThreadPort<never, T>) =>
      receiveMessageOnPort(port as unknown as MessagePort)?.message as T | undefined,
    clock: createSystemClock(),
    timers: createSystemTimers(),
    random: createSystemRandom(),
    log,
  };
}
