import { createMemoryLogger, createSystemRandom, createTimers, type Timers } from "@twentysix/platform";
import type { BlobEngine } from "../../../src/blobs/blob-engine.ts";
import { ContentStore } from "../../../src/blobs/content-store.ts";
import type { RemoteParts } from "../../../src/blobs/remote/open-remote-stores.ts";

/** One engine with nothing in it, and what a test may do behind its back. */
export interface TestedEngine {
  readonly engine: BlobEngine;
  /** What stands on the engine: paths, keys, pins. */
  held(): Promise<readonly string[]>;
  /** Changes one byte of a blob that was put with these bytes. */
  damage(bytes: Uint8Array, offsetBytes: number): Promise<void>;
  /** Removes the bytes of a blob that was put with these bytes. */
  lose(bytes: Uint8Array): Promise<void>;
  /** The process that keeps the bytes, for engines that have one. */
  readonly server?: EngineServer;
}

export interface EngineServer {
  start(): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
}

/** What engines do differently, by their nature. */
export interface EngineTraits {
  readonly name: string;
  /** A reason not to run; false to run. */
  readonly skip: string | false;
  /** Every read is verified, not only those of blocks and of the scrubber. */
  readonly verifiesReads: boolean;
  /** A blob that is read while it is deleted is read to its end. */
  readonly readsOutliveDeletion: boolean;
  /** An engine in `folder` with nothing in it. */
  fresh(folder: string): Promise<TestedEngine>;
}

/** Waits pass ten times as fast; what happens meanwhile is real. */
export const fastTimers: Timers = createTimers((delayMs, callback) => {
  const handle = setTimeout(callback, delayMs / 10);
  return () => clearTimeout(handle);
});

export const remoteParts = (): RemoteParts => ({
  timers: fastTimers,
  random: createSystemRandom(),
  log: createMemoryLogger(),
});

export function openStore(folder: string, { engine }: Pick<TestedEngine, "engine">): Promise<ContentStore> {
  return ContentStore.open({ folder, engine, timers: fastTimers });
}
