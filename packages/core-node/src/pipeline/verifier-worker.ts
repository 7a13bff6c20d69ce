import { parentPort, workerData } from "node:worker_threads";
import { keepHeapSmall } from "@twentysix/platform";
import type { ThreadPort } from "../threads/threads.ts";
import { runVerifier } from "./run-verifier.ts";
import type { VerifierData, VerifierRequest, VerifierResponse } from "./verifier-protocol.ts";

/*
 * Thread: syntax, hash, schema and signature of every copy, before anything else looks at it.
 */

if (parentPort === null) throw new Error("This file is started as a worker thread");
keepHeapSmall();
runVerifier(workerData as VerifierData, {
  main: parentPort as ThreadPort<VerifierResponse, VerifierRequest>,
});
