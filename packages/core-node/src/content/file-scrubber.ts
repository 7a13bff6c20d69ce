import type { Logger, Random, Timers } from "@twentysix/platform";
import { encodeHex } from "@twentysix/protocol";
import { type ContentStore, type FileNote, scrub } from "@twentysix/storage";

export interface FileScrubberOptions {
  readonly contents: ContentStore;
  readonly note: (note: FileNote) => Promise<void>;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** Bytes hashed a second, on average: a terabyte takes about three days. */
const BYTES_PER_SECOND = 4 * 1024 * 1024;
/** Between two blobs at least, so that many small ones cost no more. */
const MIN_PAUSE_MS = 50;

/**
 * Hashes what is stored again, slowly. A pass begins at a random name, so that a node that is restarted often
 * reaches everything in the end. A corrupt file is marked and stays in its place until it comes again: it may be the
 * disk's reading that fails.
 */
export class FileScrubber {
  readonly #options: FileScrubberOptions;
  #corrupt = 0;

  constructor(options: FileScrubberOptions) {
    this.#options = options;
  }

  /** Corrupt blobs found since the start. */
  get corrupt(): number {
    return this.#corrupt;
  }

  /** One pass over files and packs. @throws the signal's reason */
  async run(signal: AbortSignal): Promise<void> {
    const { contents, timers, note, log, random } = this.#options;
    const after = encodeHex(random.randomBytes(32));
    for (const kind of ["files", "packs"] as const) {
      for (const from of [after, null]) {
        for await (const blob of scrub(
          contents[kind],
          from === null ? { signal } : { signal, after: from },
        )) {
          if (from === null && blob.sha256 > after) break;
          if (!blob.isIntact) {
            this.#corrupt += 1;
            log.error("Stored bytes are corrupt: upload or fetch them again", { kind, sha256: blob.sha256 });
            if (kind === "files") await note({ kind: "damaged", names: [blob.sha256], damage: "corrupt" });
          }
          await timers.sleep(Math.max(MIN_PAUSE_MS, (blob.sizeBytes / BYTES_PER_SECOND) * 1_000), signal);
        }
      }
    }
  }
}
