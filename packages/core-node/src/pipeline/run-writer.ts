import { hash } from "node:crypto";
import { judgePayment } from "@twentysix/state";
import { MessageStore, openWhenFree, StateTree } from "@twentysix/storage/writer";
import type { ThreadPlace } from "../threads/thread-place.ts";
import type { ThreadPort } from "../threads/threads.ts";
import { createCopyReader } from "./copy-reader.ts";
import { packReport } from "./packed-report.ts";
import { aggregateFields } from "./prepare-message.ts";
import { submissionRules } from "./submission-rules.ts";
import { AccountSweeper } from "./writer/account-sweeper.ts";
import { AskedBlobs } from "./writer/asked-blobs.ts";
import { BatchWriter } from "./writer/batch-writer.ts";
import { blobsInFolder, createBlobContents } from "./writer/blob-contents.ts";
import { FileCollector } from "./writer/file-collector.ts";
import type { BatchReport, CopyJob } from "./writer/jobs.ts";
import { type LedgerAudit, LedgerAuditor } from "./writer/ledger-auditor.ts";
import { createPriceLists } from "./writer/price-lists.ts";
import { Recalculator } from "./writer/recalculator.ts";
import { RetainedEraser } from "./writer/retained-eraser.ts";
import { RootRequests } from "./writer/root-requests.ts";
import { WriterLoop } from "./writer/writer-loop.ts";
import type { WriterData, WriterRequest, WriterResponse } from "./writer-protocol.ts";

/** How soon a standby notices that it may take over. */
const STANDBY_PAUSE_MS = 250;
/** Often enough that a standby does not take this writer for one that is stopped. */
const SHOW_LIFE_MS = 5_000;

type WriterPlace = ThreadPlace<WriterResponse, WriterRequest>;

/** The one writer: resolves once it was told to close, and everything that had arrived is committed. */
export async function runWriter(data: WriterData, place: WriterPlace): Promise<void> {
  const { main, timers, clock, log, random } = place;
  const reader = createCopyReader((bytes) => hash("sha256", bytes, "buffer"), data.switches, data.limits);
  const store = await openStore(data, place);
  const respond = (response: WriterResponse): void => main.postMessage(response);
  const askedBlobs = new AskedBlobs((request) => respond({ kind: "readBlob", ...request }));
  const readBlob = data.blobsFolder === null ? askedBlobs.read : blobsInFolder(data.blobsFolder);
  const { connection, dirty } = store.session;
  const writer = new BatchWriter({
    store,
    rules: data.rules,
    submissionRules: submissionRules(data.rules),
    limits: data.limits,
    reader,
    contents: createBlobContents(connection, readBlob, data.limits),
    priceCheck: judgePayment,
    priceLists: createPriceLists({ store, clock, log, defaults: data.priceDefaults }),
    clock,
    random,
  });
  writer.knowsAll(data.isComplete);
  const report = (batch: BatchReport): void =>
    respond({ kind: "report", report: packReport(batch), queued: loop.queued });
  const onDue = (): void => loop.nudge();
  const collector = data.collectsFiles
    ? new FileCollector({
        ...{ store, clock, timers, onDue },
        onCollected: (collected) => respond({ kind: "collected", collected }),
      })
    : null;
  const roots = new RootRequests({
    tree: new StateTree(connection, dirty),
    answer: (requestId, root) => respond({ kind: "stateRoot", requestId, root }),
    ...{ clock, timers, onDue },
  });
  const eraser = new RetainedEraser({ store, clock, rules: data.rules });
  const sweeper = new AccountSweeper({ store, writer, clock, timers, onReport: report, onDue });
  const recalculator = new Recalculator({
    store,
    reader,
    context: () => writer.context(),
    defaults: data.priceDefaults,
    onProgress: (requestId, progress, isDone) =>
      respond({ kind: "recalculation", requestId, report: progress, isDone }),
  });
  const { ledger } = data.rules;
  const onAudit = (audit: LedgerAudit): void => respond({ kind: "audited", audit });
  const auditor =
    ledger === null
      ? null
      : new LedgerAuditor({ connection, rules: ledger, clock, timers, log, onAudit, onDue });

  const handle = (request: WriterRequest): void => {
    switch (request.kind) {
      case "side":
        loop.addSideJob(request.job);
        break;
      case "complete":
        writer.knowsAll(request.isComplete);
        break;
      case "stateRoot":
        roots.add(request.requestId);
        loop.nudge();
        break;
      case "recalculate":
        recalculator.add(request);
        loop.nudge();
        break;
      case "blob":
        askedBlobs.answered(request.requestId, request.bytes);
        break;
      case "close":
        loop.stop();
        break;
    }
  };
  const drain = <T>(port: ThreadPort<never, T>, take: (message: T) => void): void => {
    for (let next = place.receive(port); next !== undefined; next = place.receive(port)) take(next);
  };
  const loop: WriterLoop = new WriterLoop({
    ...{ store, writer, clock, timers, log },
    drain: () => {
      for (const port of data.verified) drain(port, (jobs) => loop.addCopies(jobs));
      drain<WriterRequest>(main, handle);
    },
    onReport: report,
    afterBatch: async () => {
      roots.afterBatch();
      collector?.relieve();
      await sweeper.relieve();
      await recalculator.relieve();
    },
    onDefect: (error, culprit) => {
      const itemHash = "hash" in culprit ? culprit.hash : hashOf(culprit);
      log.error("A copy made the rules fail; it is set aside and tried again", { error, itemHash });
      respond({ kind: "defect", itemHash });
    },
    onIdle: async () =>
      roots.advance() ||
      eraser.advance() ||
      (collector?.advance() ?? false) ||
      (await sweeper.advance()) ||
      (await recalculator.advance()) ||
      (auditor?.advance() ?? false),
  });

  for (const port of data.verified) port.on("message", (jobs) => loop.addCopies(jobs));
  main.on("message", handle);
  await writer.announcePrices();
  respond({ kind: "ready" });
  await whileShowingLife(store, place, () => loop.run());
  roots.close();
  collector?.close();
  sweeper.close();
  auditor?.close();
  for (const port of data.verified) port.close();
  store.endCheckpoints();
  store.checkpoint("truncate");
  store.close();
  respond({ kind: "closed" });
  main.close();
}

async function openStore(data: WriterData, { timers, log }: WriterPlace): Promise<MessageStore> {
  const databaseOptions = {
    path: data.databasePath,
    cacheBytes: data.cacheBytes,
    ...(data.checkpointsApart ? { checkpoints: "apart" as const } : {}),
  };
  let isStandby = false;
  /** Another process writes to the database: this one is there for when it is gone. */
  async function pause(): Promise<void> {
    if (!isStandby) log.info("Another node writes to this database; waiting to take over");
    isStandby = true;
    await timers.sleep(STANDBY_PAUSE_MS);
  }
  return new MessageStore({
    ...databaseOptions,
    database: await openWhenFree(databaseOptions, {
      pause,
      onStopped: () => log.warn("The writer of this database has shown no life; its session was ended"),
    }),
    readElementFields: (envelopeText, contentText) =>
      aggregateFields(contentText ?? inlineContent(envelopeText)),
  });
}

async function whileShowingLife(
  store: MessageStore,
  { timers }: WriterPlace,
  work: () => Promise<void>,
): Promise<void> {
  const ended = new AbortController();
  const shownLife = timers.every(SHOW_LIFE_MS, () => store.showLife(), {
    signal: ended.signal,
    // Without its session a writer is at its end.
    onError: (error) => {
      throw error;
    },
  });
  await work();
  ended.abort();
  await shownLife;
}

function inlineContent(envelopeText: string): string {
  const { item_content: content } = JSON.parse(envelopeText) as { item_content?: string };
  return content ?? "{}";
}

function hashOf(job: CopyJob): string | null {
  switch (job.copy.kind) {
    case "message":
      return job.copy.message.envelope.itemHash;
    case "undecided":
    case "incomplete":
      return job.copy.envelope.itemHash;
    case "refused":
      return job.copy.itemHash;
  }
}
