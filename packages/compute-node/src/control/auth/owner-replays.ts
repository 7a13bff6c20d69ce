export interface OwnerReplaysOptions {
  /** For so long an operation would be accepted again. */
  readonly windowMs: number;
  /** Of one owner within the window; what is more is refused. */
  readonly maxOperations: number;
  /** The one who has signed nothing for the longest time is forgotten for one more. */
  readonly maxOwners: number;
}

/** The operations of owners that were accepted once, each owner's for itself: who signs too much locks out nobody else. */
export class OwnerReplays {
  readonly #options: OwnerReplaysOptions;
  /** Operations with their times, oldest first; the owner who signed last comes last. */
  readonly #owners = new Map<string, Map<string, number>>();

  constructor(options: OwnerReplaysOptions) {
    this.#options = options;
  }

  add(owner: string, key: string, nowMs: number): "fresh" | "known" | "full" {
    const seen = this.#owners.get(owner) ?? new Map<string, number>();
    this.#dropOld(seen, nowMs);
    if (seen.has(key)) return "known";
    if (seen.size >= this.#options.maxOperations) return "full";
    seen.set(key, nowMs);
    this.#owners.delete(owner);
    this.#owners.set(owner, seen);
    this.#forgetOwners(nowMs);
    return "fresh";
  }

  #dropOld(seen: Map<string, number>, nowMs: number): void {
    for (const [key, atMs] of seen) {
      if (nowMs - atMs <= this.#options.windowMs) return;
      seen.delete(key);
    }
  }

  #forgetOwners(nowMs: number): void {
    for (const [owner, seen] of this.#owners) {
      this.#dropOld(seen, nowMs);
      if (seen.size > 0 && this.#owners.size <= this.#options.maxOwners) return;
      this.#owners.delete(owner);
    }
  }
}
