export interface AllowanceOptions {
  readonly perSecond: number;
  /** The most that is saved up. */
  readonly burst: number;
  /** What there is to begin with. */
  readonly first: number;
}

const MS_PER_SECOND = 1_000;
/** After which half of what was spent is forgotten. */
const HALF_LIFE_MS = 10_000;

/** Units that are gained over time and spent. What was spent beyond them has to be gained first. */
export class Allowance {
  readonly #options: AllowanceOptions;
  #units: number;
  #spent = 0;
  #atMs: number;

  constructor(options: AllowanceOptions, nowMs: number) {
    this.#options = options;
    this.#units = options.first;
    this.#atMs = nowMs;
  }

  /** Less than nothing where something has to be gained first. */
  left(nowMs: number): number {
    const { perSecond, burst } = this.#options;
    return Math.min(burst, this.#units + ((nowMs - this.#atMs) * perSecond) / MS_PER_SECOND);
  }

  /** How much was spent of late. */
  spentLately(nowMs: number): number {
    return this.#spent * 2 ** ((this.#atMs - nowMs) / HALF_LIFE_MS);
  }

  spend(units: number, nowMs: number): void {
    this.#spent = this.spentLately(nowMs) + units;
    this.#units = this.left(nowMs) - units;
    this.#atMs = nowMs;
  }
}
