import { isAbortOf, type Logger, type Random, type Timers } from "@twentysix/platform";
import { hostImages } from "./build/host-images.ts";
import { type HostImageNote, readImagePlaces, writeHostImageNote } from "./host-image-note.ts";

/** How far the images are that functions boot with, as the API tells it. */
export interface HostImageState {
  /** `missing`: functions are refused with `detail`. With older images they run also while newer ones are built. */
  readonly state: "ready" | "building" | "missing";
  readonly detail: string;
}

export interface HostImageKeeperOptions {
  readonly imagesDir: string;
  /** false: somebody else builds them, with `twentysix image build`. */
  readonly builds: boolean;
  /** Where packages come from; null: Debian's own mirrors. */
  readonly mirror: string | null;
  /** What other commands of this machine read of it. */
  readonly noteFile: string;
  /** The images are there, which they were not when this node began. */
  readonly onBuilt: (signal: AbortSignal) => Promise<void>;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** It takes ten seconds with a mirror near by. */
const BUILD_LIMIT_MS = 1_200_000;
const FIRST_RETRY_MS = 60_000;
const LAST_RETRY_MS = 3_600_000;

/** Looks after kernel and initial file system of functions: builds what is missing, or older than this program. */
export class HostImageKeeper {
  readonly #options: HostImageKeeperOptions;
  #step: string | null = null;
  #failure: string | null = null;

  constructor(options: HostImageKeeperOptions) {
    this.#options = options;
  }

  /** Why no function can be booted; null: one can. */
  problem(): string | null {
    const { imagesDir, builds } = this.#options;
    if (readImagePlaces(imagesDir).areThere) return null;
    if (this.#step !== null)
      return `kernel and initial file system of functions are not there yet: ${this.#step}`;
    if (this.#failure !== null) return this.#failure;
    const remedy = builds ? "they are built soon" : "run `twentysix image build`";
    return `there is no kernel or no initial file system of functions in ${imagesDir}: ${remedy}`;
  }

  state(): HostImageState {
    if (this.#step !== null) return { state: "building", detail: this.#step };
    const problem = this.problem();
    if (problem !== null) return { state: "missing", detail: problem };
    return { state: "ready", detail: this.#failure ?? this.#options.imagesDir };
  }

  /** Builds in the background, again after a failure, until there is nothing to build. Ends with the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { imagesDir, builds, timers } = this.#options;
    // What an operator has put there is theirs.
    if (!builds || readImagePlaces(imagesDir).areOperators) return;
    try {
      for (let attempt = 0; !(await this.#attempt(signal)); attempt += 1) {
        await timers.sleep(this.#retryMs(attempt), signal);
      }
    } catch (error) {
      if (!isAbortOf(signal, error)) throw error;
    }
  }

  async #attempt(signal: AbortSignal): Promise<boolean> {
    const { imagesDir, mirror, timers, log, onBuilt } = this.#options;
    const wereThere = readImagePlaces(imagesDir).areThere;
    try {
      await timers.withTimeout(
        BUILD_LIMIT_MS,
        (bounded) => {
          const say = (step: string): void => this.#say(step);
          return hostImages(imagesDir, {
            timers,
            signal: bounded,
            say,
            ...(mirror === null ? {} : { mirror }),
          });
        },
        signal,
      );
    } catch (error) {
      this.#step = null;
      if (signal.aborted) {
        this.#note({ state: "missing", detail: "the node was stopped while it built them" });
        signal.throwIfAborted();
      }
      this.#failure = `the images of functions could not be built: ${textOf(error)}`;
      log.warn("the images of functions could not be built; it is tried again", { error });
      this.#note({ state: "missing", detail: this.#failure });
      return false;
    }
    const hasBuilt = this.#step !== null;
    this.#step = null;
    this.#failure = null;
    if (hasBuilt) log.info("the images of functions are built", { imagesDir });
    this.#note({ state: "ready", detail: imagesDir });
    if (!wereThere) await onBuilt(signal);
    return true;
  }

  #say(step: string): void {
    this.#step = step;
    this.#options.log.info(step);
    this.#note({ state: "building", detail: step });
  }

  #note(state: HostImageState): void {
    const { noteFile, imagesDir } = this.#options;
    writeHostImageNote(noteFile, { ...state, imagesDir, pid: process.pid } satisfies HostImageNote);
  }

  #retryMs(attempt: number): number {
    const stepMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempt, 16), LAST_RETRY_MS);
    return stepMs / 2 + this.#options.random.uniform(stepMs / 2);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
