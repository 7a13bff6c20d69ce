import { type Clock, PlatformError, Semaphore, type Timers } from "@twentysix/platform";
import { readVmHash } from "./function-address.ts";

/** TXT records of a name, each in its parts; an unknown name rejects. */
export type ResolveTxt = (name: string) => Promise<readonly (readonly string[])[]>;

interface Known {
  readonly vmHash: string | null;
  readonly untilMs: number;
}

const FOUND_MS = 60_000;
const MISSING_MS = 30_000;
const MAX_KNOWN = 1_000;
const TIMEOUT_MS = 5_000;
const LOOKUPS = { permits: 16, maxWaiters: 64 };

/** Custom domains of programs: the TXT record `_aleph-id.HOST` holds the hash. */
export class NamedHosts {
  readonly #resolveTxt: ResolveTxt;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #timers: Pick<Timers, "withTimeout">;
  readonly #lookups = new Semaphore(LOOKUPS);
  readonly #known = new Map<string, Known>();

  constructor(options: {
    readonly resolveTxt: ResolveTxt;
    readonly clock: Pick<Clock, "monotonicMs">;
    readonly timers: Pick<Timers, "withTimeout">;
  }) {
    this.#resolveTxt = options.resolveTxt;
    this.#clock = options.clock;
    this.#timers = options.timers;
  }

  /** The hash of the program that a host stands for; null: none, or nobody could say. */
  async find(host: string): Promise<string | null> {
    const known = this.#known.get(host);
    if (known !== undefined && known.untilMs > this.#clock.monotonicMs()) return known.vmHash;
    const vmHash = await this.#lookUp(host);
    if (vmHash === undefined) return null;
    if (this.#known.size >= MAX_KNOWN) this.#forgetOldest();
    const untilMs = this.#clock.monotonicMs() + (vmHash === null ? MISSING_MS : FOUND_MS);
    this.#known.set(host, { vmHash, untilMs });
    return vmHash;
  }

  /** undefined: too many look-ups are under way. */
  async #lookUp(host: string): Promise<string | null | undefined> {
    try {
      return await this.#lookups.run(() =>
        this.#timers.withTimeout(TIMEOUT_MS, async () =>
          firstHash(await this.#resolveTxt(`_aleph-id.${host}`)),
        ),
      );
    } catch (error) {
      if (error instanceof PlatformError && error.code === "SEMAPHORE_WAITERS_EXCEEDED") return undefined;
      // No record, no such name, no name server: all mean that the name stands for no program now.
      return null;
    }
  }

  #forgetOldest(): void {
    for (const host of this.#known.keys()) {
      this.#known.delete(host);
      return;
    }
  }
}

function firstHash(records: readonly (readonly string[])[]): string | null {
  for (const parts of records) {
    const vmHash = readVmHash(parts.join(""));
    if (vmHash !== null) return vmHash;
  }
  return null;
}
