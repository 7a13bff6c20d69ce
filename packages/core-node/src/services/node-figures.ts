import type { Logger, Timers } from "@twentysix/platform";
import type { NodeTotals, PointReads } from "@twentysix/storage";
import type { NodeHealth, NodeStatus } from "../api/services.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";

export interface FiguresOptions {
  readonly pipeline: Pipeline;
  readonly reads: Pick<PointReads, "totals">;
  readonly timers: Timers;
  readonly log: Logger;
}

const REFRESH_PERIOD_MS = 2_000;
/** Copies waiting for the writer beyond which the node calls itself not ready. */
const MAX_WRITER_QUEUE = 20_000;
const NO_FETCHES = { total: 0, failed: 0, durationMs: 0 };

/** Figures for status and metrics, refreshed in the background so that no request waits for them. */
export class NodeFigures {
  readonly #options: FiguresOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #totals: NodeTotals;

  constructor(options: FiguresOptions) {
    this.#options = options;
    this.#totals = options.reads.totals();
    this.#running = options.timers.every(REFRESH_PERIOD_MS, () => this.#refresh(), {
      signal: this.#stop.signal,
      onError: (error) => options.log.error("Cannot read the figures of the node", { error }),
    });
  }

  status(): NodeStatus {
    const totals = this.#totals;
    const byType = totals.pendingByType;
    return {
      peers: 0,
      messages: totals.liveMessages,
      filePins: totals.filePins,
      pendingMessages: totals.pendingMessages,
      pendingTransactions: 0,
      pendingByType: {
        aggregate: byType.AGGREGATE,
        forget: byType.FORGET,
        post: byType.POST,
        program: byType.PROGRAM,
        store: byType.STORE,
      },
      ethLastCommittedHeight: null,
      ethReferenceHeight: null,
      referenceMessages: null,
      storeFetch: { storage: NO_FETCHES, ipfs: NO_FETCHES },
    };
  }

  health(): NodeHealth {
    const { writerQueue } = this.#options.pipeline.statistics();
    const isKeepingUp = writerQueue < MAX_WRITER_QUEUE;
    const message = `${writerQueue} messages wait for the writer`;
    return { ready: isKeepingUp, checks: { writer: { ok: isKeepingUp, message } } };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #refresh(): void {
    this.#totals = this.#options.reads.totals();
  }
}
