import { hash } from "node:crypto";
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import {
  createPinoLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import { MessageStore, openWhenFree, StateTree } from "@twentysix/storage/writer";
import { createCopyReader } from "./copy-reader.ts";
import { packReport } from "./packed-report.ts";
import { aggregateFields } from "./prepare-message.ts";
import { submissionRules } from "./submission-rules.ts";
import { BatchWriter } from "./writer/batch-writer.ts";
import { createBlobContents } from "./writer/blob-contents.ts";
import { FileCollector } from "./writer/file-collector.ts";
import type { CopyJob } from "./writer/jobs.ts";
import { RetainedEraser } from "./writer/retained-eraser.ts";
import { RootRequests } from "./writer/root-requests.ts";
import { WriterLoop } from "./writer/writer-loop.ts";
import type { WriterData, WriterRequest, WriterResponse } from "./writer-protocol.ts";

/*
 * Thread: the one writer. Batches of verified copies become transactions; reports go to the main thread once
 * they are durable.
 */

/** How soon a standby notices that it may take over. */
const STANDBY_PAUSE_MS = 250;
let isStandby = false;

const main = parentPort;
if (main === null) throw new Error("This file is started as a worker thread");
const data = workerData as WriterData;
const log = createPinoLogger({ level: data.logLevel, pretty: data.logPretty, fields: { thread: "writer" } });
const clock = createSystemClock();
const reader = createCopyReader((bytes) => hash("sha256", bytes, "buffer"), data.switches, data.limits);
const timers = createSystemTimers();
const databaseOptions = {
  path: data.databasePath,
  cacheBytes: data.cacheBytes,
  checkpoints: "apart",
} as const;
const store = new MessageStore({
  ...databaseOptions,
  database: await openWhenFree(databaseOptions, pauseAsStandby),
  readElementFields: (envelopeText, contentText) =>
    aggregateFields(contentText ?? inlineContent(envelopeText)),
});
const collector = data.collectsFiles
  ? new FileCollector({
      store,
      clock,
      timers,
      onCollected: (collected) => respond({ kind: "collected", collected }),
      onDue: () => loop.nudge(),
    })
  : null;
const roots = new RootRequests(new StateTree(store.session.connection), (requestId, root) =>
  respond({ kind: "stateRoot", requestId, ...root }),
);
const eraser = new RetainedEraser({ store, clock, rules: data.rules });

/** Another process writes to the database: this one is there for when it is gone. */
async function pauseAsStandby(): Promise<void> {
  if (!isStandby) log.info("Another node writes to this database; waiting to take over");
  isStandby = true;
  await timers.sleep(STANDBY_PAUSE_MS);
}

function inlineContent(envelopeText: string): string {
  const { item_content: content } = JSON.parse(envelopeText) as { item_content?: string };
  return content ?? "{}";
}

const respond = (response: WriterResponse): void => main.postMessage(response);

const loop: WriterLoop = new WriterLoop({
  store,
  writer: new BatchWriter({
    store,
    rules: data.rules,
    submissionRules: submissionRules(data.rules),
    limits: data.limits,
    reader,
    contents: createBlobContents(store.session.connection, data.blobsPath, data.limits),
    priceCheck: () => ({ ok: true }),
    clock,
    random: createSystemRandom(),
  }),
  clock,
  timers,
  log,
  drain: () => {
    for (const port of data.verified) drainPort<readonly CopyJob[]>(port, (jobs) => loop.addCopies(jobs));
    drainPort<WriterRequest>(main, handle);
  },
  onReport: (report) => {
    respond({ kind: "report", report: packReport(report), queued: loop.queued });
    roots.afterBatch();
    collector?.relieve();
  },
  onDefect: (error, culprit) => {
    const itemHash = "hash" in culprit ? culprit.hash : hashOf(culprit);
    log.error("A copy made the rules fail; it is set aside and tried again", { error, itemHash });
    respond({ kind: "defect", itemHash });
  },
  onIdle: () => roots.advance() || eraser.advance() || (collector?.advance() ?? false),
});

function hashOf(job: CopyJob): string | null {
  switch (job.copy.kind) {
    case "message":
      return job.copy.message.envelope.itemHash;
    case "incomplete":
      return job.copy.envelope.itemHash;
    case "refused":
      return job.copy.itemHash;
  }
}

function handle(request: WriterRequest): void {
  switch (request.kind) {
    case "side":
      loop.addSideJob(request.job);
      break;
    case "stateRoot":
      roots.add(request.requestId);
      loop.nudge();
      break;
    case "close":
      loop.stop();
      break;
  }
}

function drainPort<T>(port: MessagePort, take: (message: T) => void): void {
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    take(next.message as T);
  }
}

for (const port of data.verified) port.on("message", (jobs: readonly CopyJob[]) => loop.addCopies(jobs));
main.on("message", handle);
respond({ kind: "ready" });
await loop.run();
collector?.close();
for (const port of data.verified) port.close();
store.endCheckpoints();
store.checkpoint("truncate");
store.close();
respond({ kind: "closed" });
main.close();
