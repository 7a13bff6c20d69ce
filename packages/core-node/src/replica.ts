import { createEventLoopMonitor } from "@twentysix/platform";
import { addProcessMetrics } from "@twentysix/platform/metrics";
import { CommitListener, type DatabaseLocation, openConnection } from "@twentysix/storage";
import { assertNewestSchema } from "@twentysix/storage/writer";
import { Registry } from "prom-client";
import { createApi } from "./api/create-api.ts";
import type { ApiServices } from "./api/services.ts";
import type { CoreNodeOptions } from "./core-node.ts";
import { createLedgerAnswers } from "./ledger/ledger-answers.ts";
import type { PipelineStatistics } from "./pipeline/pipeline-options.ts";
import { stateRulesOf } from "./pipeline/state-rules.ts";
import { submissionRules } from "./pipeline/submission-rules.ts";
import { openKeyedReads } from "./reader/keyed-reads.ts";
import { createReaderLists } from "./reader/reader-lists.ts";
import { ReaderThread } from "./reader/reader-thread.ts";
import { Budgets } from "./services/budgets.ts";
import { createEconomy } from "./services/economy.ts";
import { addEconomyMetrics } from "./services/economy-metrics.ts";
import { type CommitSource, createLiveFeed, type HeardCommit } from "./services/live-feed.ts";
import { NodeFigures } from "./services/node-figures.ts";
import { addPipelineMetrics } from "./services/pipeline-metrics.ts";
import {
  noRecalculation,
  refuseCustody,
  refuseDownloads,
  refuseGateway,
  refuseStateRoot,
  refuseSubmissions,
  refuseUploads,
} from "./services/read-only.ts";

export interface ReplicaOptions
  extends Omit<CoreNodeOptions, "dataDir" | "database" | "maxDiskBytes" | "logPretty" | "signal"> {
  /** The database of a server that another node writes to. */
  readonly database: DatabaseLocation;
}

/** An API over a database that another process writes to. */
export interface Replica {
  readonly apiUrl: string;
  close(): Promise<void>;
}

/** A word that was heard stands for a batch of unknown size. */
const HEARD: HeardCommit = { changes: null, processed: 1 };

/**
 * Starts an API that serves reads and websockets; what would write is refused with 503.
 *
 * @throws DatabaseTooOldError, DatabaseTooNewError, DatabaseError
 */
export async function startReplica(options: ReplicaOptions): Promise<Replica> {
  const { database, definition, clock, timers, log } = options;
  await using stack = new AsyncDisposableStack();
  assertSchema(database);
  const rules = stateRulesOf(definition, options.apiSettings.gracePeriodMs);
  const ledgerSettings = { rules: submissionRules(rules), definition };
  const { reads } = stack.use(openKeyedReads({ database, ledger: ledgerSettings, timers, log }));
  const readerLog = log.child({ part: "reader" });
  const reader = stack.use(
    new ReaderThread({
      databasePath: database,
      ledger: ledgerSettings,
      timers,
      onThreadLost: (reason) => readerLog.error("The reader thread was lost", { error: reason }),
    }),
  );
  const commits = new HeardCommits();
  stack.use(
    new CommitListener({
      url: database,
      timers,
      onCommit: () => commits.hear(),
      onProblem: (error) => log.warn("Commits cannot be heard of; looked for instead", { error }),
    }),
  );
  const live = createLiveFeed({ commits, reads, timers, log });
  stack.defer(() => live.close());
  const budgets = new Budgets({
    maxDiskBytes: null,
    minFreeDiskBytes: 0,
    maxMemoryBytes: options.maxMemoryBytes,
    diskUsage: () => 0,
    contentBytes: () => 0,
    freeDiskBytes: () => Number.POSITIVE_INFINITY,
    memoryUsage: options.memoryUsage,
    timers,
    log,
  });
  stack.defer(() => budgets.close());
  const figures = new NodeFigures({ pipeline: commits, reads, budgets, blobServer: null });
  const registry = new Registry();
  const graceBytes = async (): Promise<number> => (await reads.totals()).graceBytes;
  addPipelineMetrics(registry, { pipeline: commits, reader, budgets, figures, graceBytes, clock });
  addProcessMetrics(registry, stack.use(createEventLoopMonitor()), clock);
  const ledger = createLedgerAnswers(reader);
  const economy = createEconomy({ definition, rules, reads, ledger, recalculation: noRecalculation });
  addEconomyMetrics(registry, { economy, pipeline: commits });
  const services: ApiServices = {
    submit: refuseSubmissions,
    reads,
    lists: createReaderLists(reader, options.apiSettings.lists),
    ledger,
    economy,
    custodyOf: refuseCustody,
    chains: () => figures.chains(),
    live,
    uploads: refuseUploads,
    downloads: refuseDownloads,
    gateway: refuseGateway,
    node: {
      version: options.version,
      network: definition.name,
      address: options.address,
      messageTopic: definition.topics.messages,
      multiAddresses: () => [],
    },
    status: () => figures.status(),
    health: () => figures.health(),
    checkpoints: async () => ({ own: null, peers: [] }),
    stateRoot: refuseStateRoot,
    registry,
    log: log.child({ part: "api" }),
    clock,
    timers,
  };
  const api = await createApi(services, options.apiSettings);
  stack.defer(() => api.close());
  const apiUrl = await api.listen({ host: options.apiHost, port: options.apiPort });
  const running = stack.move();
  return { apiUrl, close: () => running.disposeAsync() };
}

/** Once, before anything answers; so it may block. */
function assertSchema(database: DatabaseLocation): void {
  const connection = openConnection(database, { readOnly: true });
  try {
    assertNewestSchema(connection);
  } finally {
    connection.close();
  }
}

/** The commits of another process, in the place of a pipeline. */
class HeardCommits implements CommitSource {
  readonly #listeners = new Set<(notice: HeardCommit) => void>();
  #heard = 0;

  hear(): void {
    this.#heard += 1;
    for (const listener of this.#listeners) listener(HEARD);
  }

  onCommit(listener: (notice: HeardCommit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  statistics(): PipelineStatistics {
    return {
      inFlight: 0,
      oldestReceptionMicros: null,
      writerQueue: 0,
      commitsTotal: this.#heard,
      processedTotal: 0,
      defectsTotal: 0,
      ledgerAudit: null,
    };
  }
}
