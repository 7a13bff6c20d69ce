import { type CryptoProvider, type ProtocolSwitches, verifySignature } from "@twentysix/protocol";
import type { Skeleton } from "@twentysix/state";
import type { Status } from "@twentysix/storage";

export interface SkeletonIntakeOptions {
  readonly crypto: CryptoProvider;
  readonly switches: ProtocolSwitches;
  /** What skeletons say beyond their signatures is believed; else they are passed over. */
  readonly isTrusted: boolean;
  /** What stands of an item hash here; null when it is unknown. */
  readonly statusOf: (itemHash: string) => Status | null;
}

/** A skeleton that waits for its FORGET, and the line on which it came. */
export interface HeldSkeleton extends Skeleton {
  readonly line: number;
}

/** Held until their FORGET comes; a file that has more of them before one is not ours. */
const MAX_HELD = 250_000;

const SETTLED: ReadonlySet<Status | null> = new Set([
  "processed",
  "forgotten",
  "removing",
  "removed",
] as const);

/** Collects the skeletons that stand before a FORGET. Each must be signed by its sender. */
export class SkeletonIntake {
  readonly #options: SkeletonIntakeOptions;
  #held: HeldSkeleton[] = [];
  /** Skeletons that were not believed. */
  passedOver = 0;
  /** Messages that are forgotten here now on the word of a skeleton. */
  taken = 0;

  constructor(options: SkeletonIntakeOptions) {
    this.#options = options;
  }

  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  /** The reason why a skeleton is refused, else null. */
  take(skeleton: Skeleton, line: number): string | null {
    const { crypto, switches, isTrusted, statusOf } = this.#options;
    const { hash, message } = skeleton;
    if (!isTrusted) {
      this.passedOver += 1;
      return null;
    }
    if (SETTLED.has(statusOf(hash))) return null;
    if (this.#held.length >= MAX_HELD)
      return `more than ${MAX_HELD} forgotten messages stand before one FORGET`;
    const verdict = verifySignature({ ...message, itemHash: hash }, { crypto, switches });
    if (!verdict.ok) return `what is left of the message is not signed by its sender: ${verdict.reason}`;
    this.#held.push({ ...skeleton, line });
    return null;
  }

  /** Those that wait, for the FORGET that has come. */
  release(): readonly HeldSkeleton[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }

  /** After the FORGET was judged: those that it does not hide here. */
  unhidden(released: readonly HeldSkeleton[]): readonly HeldSkeleton[] {
    return released.filter(({ hash }) => {
      const status = this.#options.statusOf(hash);
      if (status === "forgotten") this.taken += 1;
      return !SETTLED.has(status);
    });
  }
}
