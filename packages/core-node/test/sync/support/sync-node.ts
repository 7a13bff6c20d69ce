import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MemoryNetwork } from "@twentysix/network/test-streams";
import {
  createMemoryLogger,
  createSeededRandom,
  createSystemClock,
  createSystemTimers,
} from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import { ContentStore, type HeldFile } from "@twentysix/storage";
import { blobsFor } from "../../../src/content/read-blob.ts";
import { workingFilesOnDisk } from "../../../src/content/working-files.ts";
import { Pipeline } from "../../../src/pipeline/pipeline.ts";
import { stateRulesOf } from "../../../src/pipeline/state-rules.ts";
import { submissionRules } from "../../../src/pipeline/submission-rules.ts";
import type { CopyResult } from "../../../src/pipeline/writer/jobs.ts";
import { openKeyedReads } from "../../../src/reader/keyed-reads.ts";
import { ReaderThread } from "../../../src/reader/reader-thread.ts";
import { OwnTree } from "../../../src/sync/own-tree.ts";
import { startSync } from "../../../src/sync/start-sync.ts";
import type { SyncService } from "../../../src/sync/sync-service.ts";

const timers = createSystemTimers();
const clock = createSystemClock();
const MIB = 1024 * 1024;

export interface SyncNodeOptions {
  /** A file in the folder by default. */
  readonly database?: string;
  /** An own folder by default, which goes at the end. */
  readonly folder?: string;
  readonly hasBootstrap?: boolean;
  /** Whom it looks for; nobody by default. */
  readonly sought?: readonly string[];
  /** Between two visits; by default none but those that a test makes, and those to whoever connects. */
  readonly periodMs?: number;
  readonly hasRoom?: () => boolean;
  /** How far the clock of its visits is ahead. */
  readonly aheadSeconds?: () => number;
}

/** The pipeline, the reader thread and the files of a node, and its visits to others. */
export interface SyncNode extends AsyncDisposable {
  readonly peerId: string;
  readonly folder: string;
  readonly sync: SyncService;
  readonly tree: OwnTree;
  readonly pipeline: Pipeline;
  readonly faults: readonly (readonly [peerId: string, reason: string])[];
  submit(...texts: readonly string[]): Promise<readonly CopyResult[]>;
  /** Keeps a content that is no inline one; gives its hash. */
  hold(content: string): Promise<string>;
  root(): Promise<string>;
  /** Resolves when the root is that; the test runner's time-out is the bound. */
  reaches(root: string): Promise<void>;
}

const NEVER_MS = 2 ** 30;

export async function syncNode(
  network: MemoryNetwork,
  peerId: string,
  definition: NetworkDefinition,
  options: SyncNodeOptions = {},
): Promise<SyncNode> {
  await using stack = new AsyncDisposableStack();
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "twentysix-sync-")));
  if (options.folder === undefined) stack.defer(() => rm(folder, { recursive: true, force: true }));
  const database = options.database ?? join(folder, "messages.sqlite");
  const paths = { database, contents: join(folder, "contents") };
  const contents = stack.use(await ContentStore.open({ folder: paths.contents, timers }));
  // The nodes of these stories accept whatever their funds, as `StateHarness` does.
  const rules = { ...stateRulesOf(definition, definition.limits.gracePeriodSeconds * 1_000), ledger: null };
  const log = createMemoryLogger();
  const pipeline = await Pipeline.start({
    databasePath: paths.database,
    blobs: blobsFor(contents, paths),
    writerCacheBytes: 8 * MIB,
    switches: definition.switches,
    limits: definition.limits,
    rules,
    priceDefaults: definition,
    verifierCount: 1,
    maxInFlight: 8_192,
    clock,
    timers,
    log,
    logPretty: false,
  });
  stack.defer(() => pipeline.close());
  const ledger = { rules: submissionRules(rules), definition };
  const { reads } = stack.use(openKeyedReads({ database: paths.database, ledger, timers, log }));
  const reader = stack.use(new ReaderThread({ databasePath: paths.database, timers, ledger }));
  // The files that the messages of the stories name.
  for (const n of [0, 1, 2, 3, 4]) await keep(pipeline, contents, `test file ${n}`);
  const faults: [string, string][] = [];
  const peers = network.peer(peerId);
  peers.told.push(...(options.sought ?? []));
  const sync = stack.use(
    startSync({
      files: workingFilesOnDisk,
      peers,
      definition,
      pipeline,
      reader,
      reads,
      contents,
      checkpointsPath: join(folder, "checkpoints.json"),
      catchUpMarkPath: join(folder, "catching-up"),
      lastReadyPath: join(folder, "last-ready"),
      hasRoom: options.hasRoom ?? (() => true),
      hasBootstrap: options.hasBootstrap ?? false,
      gracePeriodMs: 86_400_000,
      periodMs: options.periodMs ?? NEVER_MS,
      onFault: (peer, reason) => faults.push([peer, reason]),
      clock: {
        ...clock,
        nowMicros: () => clock.nowMicros() + BigInt(options.aheadSeconds?.() ?? 0) * 1_000_000n,
      },
      timers,
      random: createSeededRandom(26),
      log,
    }),
  );
  const running = stack.move();
  const root = async (): Promise<string> => (await pipeline.stateRoot()).root;
  return {
    peerId,
    folder,
    sync,
    tree: new OwnTree(reader),
    pipeline,
    faults,
    submit: (...texts) => Promise.all(texts.map((text) => pipeline.submit(text, { origin: "http" }))),
    hold: (content) => keep(pipeline, contents, content),
    root,
    reaches: async (expected) => {
      while ((await root()) !== expected) await timers.sleep(20);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function keep(pipeline: Pipeline, contents: ContentStore, text: string): Promise<string> {
  const bytes = Buffer.from(text);
  const { sha256 } = await contents.putFile([bytes], { names: ["fixedCid"] });
  const names = { hash: sha256, sha256: Buffer.from(sha256, "hex"), cid: null };
  const file: HeldFile = { ...names, sizeBytes: bytes.length, type: "file" };
  await pipeline.registerFile(file, null);
  return sha256;
}
