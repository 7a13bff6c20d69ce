import {
  createMemoryLogger,
  createSystemClock,
  createSystemTimers,
  type MemoryLogger,
} from "@twentysix/platform";
import type { JsonValue } from "@twentysix/protocol";
import { isJsonObject, memberOf, parseJson } from "@twentysix/protocol";
import type { ListReads, LiveMessage, PointReads } from "@twentysix/storage";
import { Registry } from "prom-client";
import type { EconomyServices } from "../../../src/api/economy/economy-services.ts";
import type { ApiServices, NodeStatus, SubmissionOutcome, SubmitOptions } from "../../../src/api/services.ts";
import { NO_CHAIN_REPORT } from "../../../src/chain/chain-report.ts";
import { FolderFiles } from "./folder-files.ts";

export interface Submission extends SubmitOptions {
  readonly text: string;
}

/** The services of a node in the hands of a test. */
export interface TestServices extends ApiServices {
  readonly files: FolderFiles;
  readonly log: MemoryLogger;
  readonly submissions: Submission[];
  /** What the next submissions answer; by default a message is queued. */
  outcome: (
    submission: Submission,
    itemHash: string | null,
  ) => SubmissionOutcome | Promise<SubmissionOutcome>;
  nodeStatus: NodeStatus;
  isReady: boolean;
  announce(message: LiveMessage): void;
  changeItem(itemHash: string): void;
  listeners(): number;
}

export function queued(itemHash: string | null): SubmissionOutcome {
  return {
    itemHash,
    status: "pending",
    refused: false,
    publication: { status: "success", failed: [], recipients: 0 },
    known: false,
  };
}

const NO_FETCH = { total: 0, failed: 0, durationMs: 0 };

export const STATUS: NodeStatus = {
  peers: 3,
  messages: 42,
  filePins: 7,
  pendingMessages: 2,
  pendingTransactions: 0,
  pendingByType: { aggregate: 0, forget: 0, post: 2, program: 0, store: 0 },
  ethLastCommittedHeight: 90,
  ethReferenceHeight: 100,
  referenceMessages: null,
  storeFetch: { ipfs: NO_FETCH, storage: NO_FETCH },
};

/** What a test does not bring must not be asked for. */
function absent<T extends object>(name: string): T {
  return new Proxy({} as T, {
    get(_target, property) {
      throw new Error(`${name}.${String(property)} was not expected to be used`);
    },
  });
}

/** For tests that ask for no price. */
const NO_ECONOMY: EconomyServices = {
  rules: absent("rules"),
  switches: {},
  pricesInForce: () => Promise.reject(new Error("no price was expected to be asked for")),
  administrationKey: null,
  recalculation: absent("recalculation"),
};

export async function createTestServices(parts: {
  readonly reads?: PointReads;
  readonly lists?: ListReads;
  readonly ledger?: ApiServices["ledger"];
  readonly matches?: ApiServices["live"]["matches"];
  readonly economy?: EconomyServices;
  readonly custodyOf?: ApiServices["custodyOf"];
  readonly onCommit?: ApiServices["live"]["onCommit"];
  readonly gateway?: ApiServices["gateway"];
}): Promise<TestServices> {
  const liveListeners = new Set<(message: LiveMessage) => void>();
  const itemListeners = new Map<string, Set<() => void>>();
  const files = await FolderFiles.create();
  const services: TestServices = {
    files,
    submissions: [],
    outcome: (_submission, itemHash) => queued(itemHash),
    nodeStatus: STATUS,
    isReady: true,
    submit: async (text, options) => {
      const submission = { ...options, text };
      services.submissions.push(submission);
      return services.outcome(submission, itemHashOf(text));
    },
    reads: parts.reads ?? absent<PointReads>("reads"),
    lists: parts.lists ?? absent<ListReads>("lists"),
    ledger: parts.ledger ?? absent<ApiServices["ledger"]>("ledger"),
    live: {
      async subscribe(listener) {
        liveListeners.add(listener);
        return () => liveListeners.delete(listener);
      },
      lastSeq: async () => (await parts.reads?.lastSeq()) ?? 0,
      matches: parts.matches ?? (() => true),
      onCommit: parts.onCommit ?? (() => () => undefined),
      onItem(itemHash, listener) {
        const listeners = itemListeners.get(itemHash) ?? new Set();
        itemListeners.set(itemHash, listeners.add(listener));
        return () => listeners.delete(listener);
      },
    },
    uploads: files,
    downloads: files,
    gateway: parts.gateway ?? { find: () => Promise.resolve(null) },
    economy: parts.economy ?? NO_ECONOMY,
    custodyOf: parts.custodyOf ?? (() => Promise.resolve(null)),
    chains: () => Promise.resolve(NO_CHAIN_REPORT),
    node: {
      version: "0.1.0-test",
      network: "local",
      address: "0xNode",
      messageTopic: "ALEPH-TEST",
      multiAddresses: () => ["/ip4/127.0.0.1/tcp/4025/p2p/QmNode"],
    },
    status: async () => services.nodeStatus,
    health: () => ({ ready: services.isReady, checks: { database: { ok: services.isReady, message: "" } } }),
    stateRoot: async () => ({ root: "ab".repeat(32), count: 42, algorithm: "test" }),
    checkpoints: async () => ({ own: null, peers: [] }),
    registry: new Registry(),
    log: createMemoryLogger(),
    clock: createSystemClock(),
    timers: createSystemTimers(),
    announce: (message) => {
      for (const listener of liveListeners) listener(message);
    },
    changeItem: (itemHash) => {
      for (const listener of itemListeners.get(itemHash) ?? []) listener();
    },
    listeners: () => liveListeners.size,
  };
  return services;
}

function itemHashOf(text: string): string | null {
  const parsed = parseJson(text);
  const value: JsonValue = parsed.ok ? parsed.value : null;
  const itemHash = isJsonObject(value) ? memberOf(value, "item_hash") : undefined;
  return typeof itemHash === "string" ? itemHash : null;
}
