import type { BlobServer, NodeTotals, PointReads } from "@twentysix/storage";
import type { NodeHealth, NodeStatus } from "../api/services.ts";
import { type ChainReport, NO_CHAIN_REPORT } from "../chain/chain-report.ts";
import type { Anchoring } from "../chain/start-anchoring.ts";
import type { Peers } from "../peers/peers.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { SyncStatus } from "../sync/sync-progress.ts";
import type { Budgets } from "./budgets.ts";

export interface FiguresOptions {
  readonly pipeline: Pick<Pipeline, "statistics">;
  readonly reads: Pick<PointReads, "totals">;
  readonly budgets: Budgets;
  /** The server that keeps the files; null when the disk does. */
  readonly blobServer: Pick<BlobServer, "state"> | null;
  readonly peers?: Pick<Peers, "figures" | "sync">;
}

/** Copies waiting for the writer beyond which the node calls itself not ready. */
const MAX_WRITER_QUEUE = 20_000;
const NO_FETCHES = { total: 0, failed: 0, durationMs: 0 };

/** Figures for status and metrics: those of the last commit, read again only when there was a further one. */
export class NodeFigures {
  readonly #options: FiguresOptions;
  #totals: Promise<NodeTotals> | null = null;
  /** Commits that were made when the totals were read. */
  #commits = 0;
  #anchoring: Pick<Anchoring, "figures" | "report"> | null = null;

  constructor(options: FiguresOptions) {
    this.#options = options;
  }

  /** From when the node reads chains on. */
  followChains(anchoring: Pick<Anchoring, "figures" | "report">): void {
    this.#anchoring = anchoring;
  }

  async chains(): Promise<ChainReport> {
    return (await this.#anchoring?.report()) ?? NO_CHAIN_REPORT;
  }

  totals(): Promise<NodeTotals> {
    const { commitsTotal } = this.#options.pipeline.statistics();
    if (this.#totals === null || commitsTotal !== this.#commits) {
      this.#commits = commitsTotal;
      this.#totals = this.#read();
    }
    return this.#totals;
  }

  /** What failed is asked again by whoever comes next. */
  async #read(): Promise<NodeTotals> {
    try {
      return await this.#options.reads.totals();
    } catch (error) {
      this.#totals = null;
      throw error;
    }
  }

  async status(): Promise<NodeStatus> {
    const totals = await this.totals();
    const byType = totals.pendingByType;
    const peers = this.#options.peers?.figures();
    const { pendingEvents = 0, ethereum = null } = this.#anchoring?.figures() ?? {};
    const { height = null, remainingBlocks = null } = ethereum ?? {};
    return {
      peers: peers?.connected ?? 0,
      messages: totals.liveMessages,
      filePins: totals.filePins,
      pendingMessages: totals.pendingMessages,
      pendingTransactions: pendingEvents,
      pendingByType: {
        aggregate: byType.AGGREGATE,
        forget: byType.FORGET,
        post: byType.POST,
        program: byType.PROGRAM,
        store: byType.STORE,
      },
      ethLastCommittedHeight: height,
      ethReferenceHeight: height === null || remainingBlocks === null ? null : height + remainingBlocks,
      referenceMessages: null,
      storeFetch: peers?.fetches ?? { storage: NO_FETCHES, ipfs: NO_FETCHES },
    };
  }

  /**
   * Ready to take new work: the writer keeps up, neither disk nor memory refuse it, files can be kept, and the node has
   * what its peers have.
   */
  health(): NodeHealth {
    const { pipeline, budgets, blobServer, peers } = this.#options;
    const { writerQueue } = pipeline.statistics();
    const { disk, memory } = budgets.shortages();
    const checks = {
      writer: { ok: writerQueue < MAX_WRITER_QUEUE, message: `${writerQueue} messages wait for the writer` },
      disk: { ok: disk === null, message: disk?.message ?? `${budgets.diskBytes} bytes used` },
      memory: { ok: memory === null, message: memory?.message ?? `${budgets.memoryBytes} bytes used` },
      ...(blobServer === null ? {} : { files: fileCheck(blobServer) }),
      ...(peers === undefined ? {} : { sync: syncCheck(peers.sync()) }),
    };
    return { ready: Object.values(checks).every(({ ok }) => ok), checks };
  }
}

function fileCheck({ state }: Pick<BlobServer, "state">): NodeHealth["checks"][string] {
  return { ok: state.isUsable, message: state.message };
}

function syncCheck({ state, percent, secondsLeft }: SyncStatus): NodeHealth["checks"][string] {
  const share = percent === null ? "" : `: ${percent} % of the messages of a peer`;
  const left = secondsLeft === null ? "" : `, about ${secondsLeft} s left`;
  return { ok: state === "ready", message: `${state}${share}${left}` };
}
