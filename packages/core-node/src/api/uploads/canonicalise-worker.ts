import { parentPort, workerData } from "node:worker_threads";
import { canonicalBytes } from "./canonical-bytes.ts";

/** One large JSON body, away from the thread that answers everybody else. */
parentPort?.postMessage(canonicalBytes(workerData as Uint8Array));
