import { type Permit, PlatformError, Semaphore } from "@twentysix/platform";
import { ExecutionError } from "./errors.ts";

export interface OwnerTurnsOptions {
  /** Of all owners together. */
  readonly permits: number;
  /** Of one owner; what is left of the others is there whatever that one asks for. */
  readonly permitsPerOwner: number;
}

/** How many may wait for one of the places. */
const MAX_WAITING = 1_000;

interface OwnTurns {
  readonly semaphore: Semaphore;
  /** Who has, or waits for, one. */
  users: number;
}

/** Bounds how many machines something is done to at once, and how many of them are one owner's. */
export class OwnerTurns {
  readonly #all: Semaphore;
  readonly #permitsPerOwner: number;
  readonly #owners = new Map<string, OwnTurns>();

  constructor({ permits, permitsPerOwner }: OwnerTurnsOptions) {
    this.#all = new Semaphore({ permits, maxWaiters: MAX_WAITING });
    this.#permitsPerOwner = permitsPerOwner;
  }

  /** @throws ExecutionError BUSY when too many wait already; the reason of the signal */
  async acquire(owner: string, signal: AbortSignal): Promise<Permit> {
    const own = this.#ownTurns(owner);
    own.users += 1;
    const held: Permit[] = [];
    const release = (): void => {
      for (const permit of held.splice(0)) permit.release();
      own.users -= 1;
      if (own.users === 0) this.#owners.delete(owner);
    };
    try {
      held.push(await own.semaphore.acquire(signal));
      held.push(await this.#all.acquire(signal));
    } catch (error) {
      release();
      throw error instanceof PlatformError ? tooMany(error) : error;
    }
    let isHeld = true;
    const releaseOnce = (): void => {
      if (isHeld) release();
      isHeld = false;
    };
    return { release: releaseOnce, [Symbol.dispose]: releaseOnce };
  }

  #ownTurns(owner: string): OwnTurns {
    const known = this.#owners.get(owner);
    if (known !== undefined) return known;
    const semaphore = new Semaphore({ permits: this.#permitsPerOwner, maxWaiters: MAX_WAITING });
    const own = { semaphore, users: 0 };
    this.#owners.set(owner, own);
    return own;
  }
}

function tooMany(cause: PlatformError): ExecutionError {
  const text = "so many machines of this node wait for their start that no more can; try again in a minute";
  return new ExecutionError("BUSY", text, { cause });
}
