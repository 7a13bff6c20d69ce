import { createDeferred, type Deferred, raceAbort } from "@twentysix/platform";
import type {
  ChainChange,
  Collected,
  Confirmation,
  FileNote,
  HeldFile,
  SignatureDecision,
  StateRoot,
} from "@twentysix/storage";
import type { Thread } from "../threads/threads.ts";
import { workerThreads } from "../threads/worker-threads.ts";
import { answerBlob } from "./answer-blob.ts";
import { PipelineError } from "./errors.ts";
import { unpackReport } from "./packed-report.ts";
import type { CommitNotice, PipelineOptions, PipelineStatistics, SubmitOptions } from "./pipeline-options.ts";
import type { RecalculationReport } from "./recalculation-report.ts";
import type { ToldCopy, VerifierResponse, VerifyJob } from "./verifier-protocol.ts";
import { VerifierThread } from "./verifier-thread.ts";
import type { VerifiedCopy } from "./verify-copy.ts";
import type { BatchReport, CopyResult } from "./writer/jobs.ts";
import type { LedgerAudit } from "./writer/ledger-auditor.ts";
import type { WriterData, WriterRequest, WriterResponse } from "./writer-protocol.ts";

type CopyOnItsWay = Deferred<CopyResult> & { readonly receptionMicros: bigint };

type Writer = Thread<WriterRequest, WriterResponse>;

/** Longest wait for the answers to what has arrived; the writer commits it all the same. */
const DRAIN_TIMEOUT_MS = 4_000;
/** Longest wait for the writer to end: it folds a log of bounded size. After it, whatever is committed stays. */
const END_TIMEOUT_MS = 30_000;

/**
 * The way of a copy into the state: verifier thread, writer thread, commit. One entry for every source; a
 * promise it gives resolves once the outcome is durable.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #verifiers: VerifierThread[] = [];
  readonly #writer: Writer;
  /** In the order of their arrival. */
  readonly #copies = new Map<number, CopyOnItsWay>();
  /** Told by another thread than what becomes of the copy, so that either may come first. */
  readonly #firstLooks = new Map<number, (told: ToldCopy) => void>();
  readonly #sides = new Map<number, Deferred<void>>();
  readonly #inspections = new Map<number, Deferred<VerifiedCopy>>();
  readonly #roots = new Map<number, Deferred<StateRoot>>();
  readonly #recalculations = new Map<
    number,
    Deferred<RecalculationReport> & { readonly onProgress: (report: RecalculationReport) => void }
  >();
  readonly #listeners = new Set<(notice: CommitNotice) => void>();
  readonly #collectedListeners = new Set<(collected: Collected) => void>();
  readonly #closed = createDeferred<void>();
  readonly #ready: Promise<void>;
  #outgoing: VerifyJob[] = [];
  #nextId = 1;
  #nextVerifier = 0;
  #writerQueue = 0;
  #commitsTotal = 0;
  #processedTotal = 0;
  #defectsTotal = 0;
  #ledgerAudit: LedgerAudit | null = null;
  #failure: PipelineError | null = null;
  #isClosing = false;

  private constructor(options: PipelineOptions) {
    this.#options = options;
    const { threads = workerThreads } = options;
    const channels = Array.from({ length: options.verifierCount }, () => threads.verifiedChannel());
    const writerData: WriterData = {
      databasePath: options.databasePath,
      blobsFolder: "folder" in options.blobs ? options.blobs.folder : null,
      cacheBytes: options.writerCacheBytes,
      switches: options.switches,
      limits: options.limits,
      rules: options.rules,
      priceDefaults: options.priceDefaults,
      collectsFiles: options.collectsFiles ?? false,
      isComplete: options.isComplete ?? true,
      checkpointsApart: options.checkpointsApart ?? true,
      logLevel: options.log.level,
      logPretty: options.logPretty,
      verified: channels.map((channel) => channel.writer),
    };
    this.#writer = this.#watched(threads.startWriter(writerData));
    const ready: Promise<unknown>[] = [this.#onWriter()];
    for (const channel of channels) {
      const { switches, limits, contractChains = [], clock, timers } = options;
      const verifier = new VerifierThread({
        ...{ threads, clock, timers, quietMs: options.verifierQuietMs ?? null },
        data: { switches, limits, contractChains },
        writer: channel.verifier,
        onResponse: (response) => this.#onVerifier(response),
        onFailure: (error) => {
          if (!this.#isClosing) this.#fail("verifier", error);
        },
      });
      this.#verifiers.push(verifier);
      ready.push(this.#orFailure(verifier.ready.then((made) => this.#logCryptography(made))));
    }
    this.#ready = Promise.all(ready).then(() => undefined);
  }

  /**
   * Starts the threads; resolves when they are ready to work: of a standby, when it has taken over.
   *
   * @throws PipelineError PIPELINE_THREAD_FAILED; the signal's reason
   */
  static async start(options: PipelineOptions): Promise<Pipeline> {
    const pipeline = new Pipeline(options);
    try {
      await raceAbort(pipeline.#ready, options.signal);
      return pipeline;
    } catch (error) {
      pipeline.#isClosing = true;
      await pipeline.#endThreads();
      throw error;
    }
  }

  /**
   * Takes the exact text of one envelope. Resolves once its outcome, or that it is queued, is durable.
   *
   * @throws PipelineError PIPELINE_QUEUE_FULL, PIPELINE_CLOSED, PIPELINE_THREAD_FAILED
   */
  submit(text: string, options: SubmitOptions): Promise<CopyResult> {
    this.#assertOpen();
    if (this.#copies.size >= this.#options.maxInFlight) {
      const reason = `${this.#copies.size} messages are on their way: try again in a moment`;
      return Promise.reject(new PipelineError("PIPELINE_QUEUE_FULL", reason));
    }
    const jobId = this.#newId();
    const receptionMicros = this.#options.clock.nowMicros();
    const { onVerified } = options;
    const result = Object.assign(createDeferred<CopyResult>(), { receptionMicros });
    if (onVerified !== undefined) this.#firstLooks.set(jobId, onVerified);
    this.#copies.set(jobId, result);
    if (this.#outgoing.length === 0) queueMicrotask(() => this.#send());
    const { origin, trusted = false, skeletons, confirmation } = options;
    this.#outgoing.push({
      ...{ jobId, text, origin, receptionMicros, trusted },
      isBulk: options.isBulk ?? origin === "import",
      tells: onVerified !== undefined,
      ...(skeletons === undefined ? {} : { skeletons }),
      ...(confirmation === undefined ? {} : { confirmation: { ...confirmation, vouches: trusted } }),
    });
    return result.promise;
  }

  /**
   * Tells whether this node has what its peers have. While it has not, a copy is not refused for want of funds: it waits,
   * since what is missing may be missing here alone.
   */
  knowsAll(isComplete: boolean): void {
    this.#tellWriter({ kind: "complete", isComplete });
  }

  /** Verifies a copy that came to a submit endpoint, without passing it on. */
  inspect(text: string): Promise<VerifiedCopy> {
    this.#assertOpen();
    const requestId = this.#newId();
    const result = createDeferred<VerifiedCopy>();
    this.#inspections.set(requestId, result);
    this.#pickVerifier().post({ kind: "inspect", requestId, text });
    return result.promise;
  }

  /** Records a file that is held, durably; messages that wait for it wake up. */
  registerFile(file: HeldFile, graceUntilMicros: bigint | null): Promise<void> {
    return this.#side((jobId) => ({ kind: "side", job: { kind: "file", jobId, file, graceUntilMicros } }));
  }

  /** Records a confirmation, whatever stands of its message. */
  confirm(confirmation: Confirmation): Promise<void> {
    return this.#side((jobId) => ({ kind: "side", job: { kind: "confirmation", jobId, confirmation } }));
  }

  /** Records what a chain told, or what is sent to it, durably. */
  changeChain(change: ChainChange): Promise<void> {
    return this.#side((jobId) => ({ kind: "side", job: { kind: "chain", jobId, change } }));
  }

  /** Records what a chain has said of the signature of a copy that waits for that. */
  decideSignature(decision: SignatureDecision): Promise<void> {
    return this.#side((jobId) => ({ kind: "side", job: { kind: "signature", jobId, decision } }));
  }

  /** Records what became of stored bytes, or was found out about them, durably. */
  noteFiles(note: FileNote): Promise<void> {
    return this.#side((jobId) => ({ kind: "side", job: { kind: "note", jobId, note } }));
  }

  /** The root of everything committed so far. */
  stateRoot(): Promise<StateRoot> {
    this.#assertOpen();
    const requestId = this.#newId();
    const result = createDeferred<StateRoot>();
    this.#roots.set(requestId, result);
    this.#tellWriter({ kind: "stateRoot", requestId });
    return result.promise;
  }

  /**
   * Computes costs anew, of one message or (null) of all, beside the other work of the writer. Resolves when what
   * changed is durable, or with `dryRun` when it is known.
   */
  recalculate(
    itemHash: string | null,
    dryRun: boolean,
    onProgress: (report: RecalculationReport) => void = () => undefined,
  ): Promise<RecalculationReport> {
    this.#assertOpen();
    const requestId = this.#newId();
    const result = Object.assign(createDeferred<RecalculationReport>(), { onProgress });
    this.#recalculations.set(requestId, result);
    this.#tellWriter({ kind: "recalculate", requestId, itemHash, dryRun });
    return result.promise;
  }

  /** Calls back after every commit. Returns the end of it. */
  onCommit(listener: (notice: CommitNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls back when files were put into the journal of deletions. Returns the end of it. */
  onCollected(listener: (collected: Collected) => void): () => void {
    this.#collectedListeners.add(listener);
    return () => this.#collectedListeners.delete(listener);
  }

  statistics(): PipelineStatistics {
    return {
      inFlight: this.#copies.size,
      oldestReceptionMicros: this.#copies.values().next().value?.receptionMicros ?? null,
      writerQueue: this.#writerQueue,
      commitsTotal: this.#commitsTotal,
      processedTotal: this.#processedTotal,
      defectsTotal: this.#defectsTotal,
      ledgerAudit: this.#ledgerAudit,
    };
  }

  /** Rejects when a thread fails, which the node cannot survive. */
  get failed(): Promise<never> {
    return this.#closed.promise.then(() => {
      if (this.#failure !== null) throw this.#failure;
      return new Promise<never>(() => undefined);
    });
  }

  /** Finishes what has arrived, then ends the threads. */
  async close(): Promise<void> {
    if (this.#isClosing) return this.#closed.promise;
    this.#isClosing = true;
    if (this.#failure === null) {
      this.#send();
      const drained = Promise.allSettled(
        [...this.#copies.values(), ...this.#sides.values()].map((one) => one.promise),
      );
      await this.#options.timers
        .withTimeout(DRAIN_TIMEOUT_MS, () => drained.then(() => undefined))
        .catch(this.#logLate);
      this.#tellWriter({ kind: "close" });
      await this.#options.timers.withTimeout(END_TIMEOUT_MS, () => this.#closed.promise).catch(this.#logLate);
    }
    await this.#endThreads();
    this.#rejectAll(
      new PipelineError("PIPELINE_CLOSED", "The node is shutting down: submit the message again later"),
    );
  }

  async #endThreads(): Promise<void> {
    await Promise.all([this.#writer, ...this.#verifiers].map((worker) => worker.terminate()));
  }

  readonly #logLate = (error: unknown): void => {
    this.#options.log.warn("The pipeline did not end in time", { error });
  };

  #side(request: (jobId: number) => WriterRequest): Promise<void> {
    this.#assertOpen();
    const jobId = this.#newId();
    const done = createDeferred<void>();
    this.#sides.set(jobId, done);
    this.#tellWriter(request(jobId));
    return done.promise;
  }

  #watched(writer: Writer): Writer {
    writer.on("error", (error) => this.#fail("writer", error));
    writer.on("exit", (code) => {
      if (!this.#isClosing) this.#fail("writer", new Error(`The thread ended with code ${code}`));
    });
    return writer;
  }

  #onWriter(): Promise<void> {
    const ready = createDeferred<void>();
    this.#closed.promise.catch(() => undefined);
    this.#writer.on("message", (response) => {
      switch (response.kind) {
        case "ready":
          ready.resolve();
          break;
        case "report":
          this.#writerQueue = response.queued;
          this.#report(unpackReport(response.report));
          break;
        case "stateRoot":
          this.#roots.get(response.requestId)?.resolve(response.root);
          this.#roots.delete(response.requestId);
          break;
        case "recalculation":
          this.#onRecalculation(response);
          break;
        case "readBlob":
          void answerBlob(response, this.#options).then((answer) => this.#tellWriter(answer));
          break;
        case "defect":
          this.#defectsTotal += 1;
          break;
        case "collected":
          for (const listener of this.#collectedListeners) listener(response.collected);
          break;
        case "audited":
          this.#ledgerAudit = response.audit;
          break;
        case "closed":
          this.#closed.resolve();
          break;
      }
    });
    return this.#orFailure(ready.promise);
  }

  #onRecalculation({ requestId, report, isDone }: Extract<WriterResponse, { kind: "recalculation" }>): void {
    const waiting = this.#recalculations.get(requestId);
    if (!isDone) {
      waiting?.onProgress(report);
      return;
    }
    this.#recalculations.delete(requestId);
    waiting?.resolve(report);
  }

  #onVerifier(response: VerifierResponse): void {
    switch (response.kind) {
      case "verified":
        this.#firstLooks.get(response.jobId)?.(response.told);
        this.#firstLooks.delete(response.jobId);
        break;
      case "inspected":
        this.#inspections.get(response.requestId)?.resolve(response.copy);
        this.#inspections.delete(response.requestId);
        break;
      case "defect":
        this.#onVerifierDefect(response);
        break;
    }
  }

  #logCryptography(cryptography: Readonly<Record<string, string>>): void {
    const { log } = this.#options;
    log.info("Verifier ready", { cryptography });
    if (cryptography.secp256k1 !== "libsecp256k1") {
      // Works, but many times slower: whoever runs the node should hear of it at any level of the log.
      log.warn("Signatures are verified without native code, which is slow", { cryptography });
    }
  }

  #onVerifierDefect(defect: Extract<VerifierResponse, { kind: "defect" }>): void {
    this.#defectsTotal += 1;
    this.#options.log.error("Verifying a copy failed", { error: defect.error });
    const error = new PipelineError(
      "PIPELINE_DEFECT",
      "Verifying this message failed: report it to the developers",
      {
        cause: defect.error,
      },
    );
    if (defect.jobId !== null) this.#copies.get(defect.jobId)?.reject(error);
    if (defect.jobId !== null) this.#copies.delete(defect.jobId);
    if (defect.jobId !== null) this.#firstLooks.delete(defect.jobId);
    if (defect.requestId !== null) this.#inspections.get(defect.requestId)?.reject(error);
    if (defect.requestId !== null) this.#inspections.delete(defect.requestId);
  }

  /** Settles to `work`, or rejects as soon as a thread fails. */
  #orFailure(work: Promise<void>): Promise<void> {
    const failed = this.#closed.promise.then(() => {
      throw this.#failure ?? new PipelineError("PIPELINE_CLOSED", "The pipeline was closed");
    });
    return Promise.race([work, failed]);
  }

  #send(): void {
    const jobs = this.#outgoing;
    this.#outgoing = [];
    if (jobs.length === 0) return;
    this.#pickVerifier().post({ kind: "verify", jobs });
  }

  #pickVerifier(): VerifierThread {
    this.#nextVerifier = (this.#nextVerifier + 1) % this.#verifiers.length;
    const verifier = this.#verifiers[this.#nextVerifier];
    if (verifier === undefined) throw new Error("The pipeline has no verifier");
    return verifier;
  }

  #tellWriter(request: WriterRequest): void {
    this.#writer.postMessage(request);
  }

  #report(report: BatchReport): void {
    this.#commitsTotal += 1;
    this.#processedTotal += report.processed;
    for (const result of report.results) {
      this.#copies.get(result.jobId)?.resolve(result);
      this.#copies.delete(result.jobId);
    }
    for (const jobId of report.sideJobs) {
      this.#sides.get(jobId)?.resolve();
      this.#sides.delete(jobId);
    }
    if (report.changes.length === 0) return;
    for (const listener of this.#listeners)
      listener({ changes: report.changes, processed: report.processed });
  }

  #newId(): number {
    this.#nextId += 1;
    return this.#nextId;
  }

  #assertOpen(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#isClosing)
      throw new PipelineError("PIPELINE_CLOSED", "The node is shutting down: try again later");
  }

  #fail(thread: string, error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = new PipelineError("PIPELINE_THREAD_FAILED", `The ${thread} thread failed: see the log`, {
      cause: error,
    });
    this.#options.log.error("A thread of the pipeline failed", { thread, error });
    this.#closed.resolve();
    this.#rejectAll(this.#failure);
  }

  #rejectAll(error: PipelineError): void {
    const waiting = [this.#copies, this.#sides, this.#inspections, this.#roots, this.#recalculations] as Map<
      number,
      Deferred<never>
    >[];
    for (const jobs of waiting) {
      for (const job of jobs.values()) job.reject(error);
      jobs.clear();
    }
  }
}
