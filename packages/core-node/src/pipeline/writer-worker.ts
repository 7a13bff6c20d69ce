import { workerData } from "node:worker_threads";
import { createPinoLogger, keepHeapSmall } from "@twentysix/platform";
import { workerPlace } from "../threads/worker-place.ts";
import { runWriter } from "./run-writer.ts";
import type { WriterData, WriterRequest, WriterResponse } from "./writer-protocol.ts";

/*
 * Thread: the one writer. Batches of verified copies become transactions; reports go to the main thread once
 * they are durable.
 */

keepHeapSmall();
const data = workerData as WriterData;
const log = createPinoLogger({ level: data.logLevel, pretty: data.logPretty, fields: { thread: "writer" } });
await runWriter(data, workerPlace<WriterResponse, WriterRequest>(log));
