import type { Clock } from "@twentysix/platform";
import type { WorkingFiles } from "../content/working-files.ts";

export interface ReunionOptions {
  /** Where it stands between two starts when this node was ready last. */
  readonly path: string;
  readonly files: Pick<WorkingFiles, "readWhole" | "replace">;
  /** Names of the peers that this node looks for: those it was told of, and those it heard of within a day. */
  readonly sought: () => readonly string[];
  readonly clock: Pick<Clock, "nowMicros">;
  readonly onError: (what: string, error: unknown) => void;
}

/** Away for longer a node has forgotten whom it knew, so it cannot tell who is missing. As the peer book does. */
const MAX_AWAY_MS = 86_400_000;
/** How often it is written down that this node is ready. */
const NOTE_MS = 60_000;

/**
 * How nodes that were all stopped together know that they are complete. None of them is ready, so none could tell
 * another one that it has everything. But each was ready before: who has been through with *all* that it knows, every
 * one of them such a node, has what the network had. Whoever is missing may have gone on, so as long as one is, nothing
 * is said: docs/decisions/0017-reconciliation.md.
 */
export class Reunion {
  readonly #options: ReunionOptions;
  readonly #met = new Set<string>();
  readonly #loaded: Promise<void>;
  #isReturning = false;
  #notedMs = Number.NEGATIVE_INFINITY;

  constructor(options: ReunionOptions) {
    this.#options = options;
    this.#loaded = this.#load();
  }

  /** Resolves when it is known whether this node was ready before. */
  async loaded(): Promise<void> {
    await this.#loaded;
  }

  /** This node was ready within the day before it was started. */
  get isReturning(): boolean {
    return this.#isReturning;
  }

  /** Everything was taken that this peer has, which is returning as well. */
  met(peerId: string): void {
    this.#met.add(peerId);
  }

  /** Nobody is missing. */
  get isComplete(): boolean {
    const sought = this.#options.sought();
    return this.#isReturning && sought.length > 0 && sought.every((peerId) => this.#met.has(peerId));
  }

  /** This node is ready now. */
  async noteReady(): Promise<void> {
    const { path, files, onError } = this.#options;
    const nowMs = this.#nowMs();
    if (nowMs - this.#notedMs < NOTE_MS) return;
    this.#notedMs = nowMs;
    try {
      await files.replace(path, Buffer.from(`${new Date(nowMs).toISOString()}\n`));
    } catch (error) {
      onError("When this node was ready last cannot be written down", error);
    }
  }

  async #load(): Promise<void> {
    const { path, files, onError } = this.#options;
    try {
      const text = new TextDecoder().decode(await files.readWhole(path));
      const awayMs = this.#nowMs() - Date.parse(text.trim());
      this.#isReturning = awayMs >= 0 && awayMs < MAX_AWAY_MS;
    } catch (error) {
      const isNew = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!isNew) onError("When this node was ready last cannot be read", error);
    }
  }

  #nowMs(): number {
    return Number(this.#options.clock.nowMicros() / 1_000n);
  }
}
