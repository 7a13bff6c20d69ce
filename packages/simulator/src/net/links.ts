import type { Clock, Random, Timers } from "@twentysix/platform";
import { between, happens } from "../random-for.ts";
import type { Carry } from "./pipe.ts";

/** How the links between machines are at a moment. Faults change it; every piece asks for it. */
export interface LinkWeather {
  minDelayMs: number;
  maxDelayMs: number;
  /** Gossiped messages that never arrive, in a thousand. What travels over a stream is sent again instead, and late. */
  lossPerMille: number;
  /** Pieces that take far longer than others, in a thousand; gossiped ones are overtaken. */
  latePerMille: number;
  /** Gossiped messages that arrive twice, in a thousand. */
  doublePerMille: number;
}

const LATE_MS = { least: 200, most: 4_000 } as const;
const BYTES_PER_MS = 12_500;
/** How soon a stream over a link that was cut goes on once the link is there again. */
const RESEND_MS = 250;

export interface LinksOptions {
  readonly clock: Clock;
  /** Of the world: what is on its way arrives, whoever has sent it. */
  readonly timers: Timers;
  readonly random: Random;
}

/** The links between machines: how long bytes take, what is lost, who is cut off from whom. */
export class Links {
  readonly #options: LinksOptions;
  readonly #cuts = new Map<string, number>();
  readonly weather: LinkWeather = {
    minDelayMs: 1,
    maxDelayMs: 40,
    lossPerMille: 0,
    latePerMille: 0,
    doublePerMille: 0,
  };

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /** Nothing goes between two machines until the returned function is called, and every other cut has ended. */
  cut(one: string, other: string): () => void {
    const link = linkOf(one, other);
    this.#cuts.set(link, (this.#cuts.get(link) ?? 0) + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const left = (this.#cuts.get(link) ?? 1) - 1;
      if (left === 0) this.#cuts.delete(link);
      else this.#cuts.set(link, left);
    };
  }

  isCut(one: string, other: string): boolean {
    return this.#cuts.has(linkOf(one, other));
  }

  delayMs(): number {
    const { random } = this.#options;
    const { minDelayMs, maxDelayMs, latePerMille } = this.weather;
    const late = happens(random, latePerMille) ? between(random, LATE_MS.least, LATE_MS.most) : 0;
    return between(random, minDelayMs, maxDelayMs) + late;
  }

  /** Carries what is gossiped: it may be lost, come twice or be overtaken. */
  toss(from: string, to: string, arrive: () => void): void {
    const { random, timers } = this.#options;
    const { lossPerMille, doublePerMille } = this.weather;
    if (happens(random, lossPerMille)) return;
    const times = happens(random, doublePerMille) ? 2 : 1;
    for (let n = 0; n < times; n += 1)
      timers.schedule(this.delayMs(), () => {
        if (!this.isCut(from, to)) arrive();
      });
  }

  /** Carries one direction of a stream: in order, and late where it is cut for a while. */
  stream(from: string, to: string): Carry {
    const { clock, timers, random } = this.#options;
    const onTheWay: { readonly dueMs: number; readonly arrive: () => void }[] = [];
    let lastMs = 0;
    const next = (): void => {
      const [first] = onTheWay;
      if (first !== undefined) timers.schedule(Math.max(0, first.dueMs - clock.monotonicMs()), arriveFirst);
    };
    const arriveFirst = (): void => {
      if (this.isCut(from, to)) {
        timers.schedule(RESEND_MS, arriveFirst);
        return;
      }
      onTheWay.shift()?.arrive();
      next();
    };
    return (bytes, arrive) => {
      const isLost = happens(random, this.weather.lossPerMille);
      const delayMs = this.delayMs() + (isLost ? LATE_MS.least : 0) + bytes / BYTES_PER_MS;
      lastMs = Math.max(lastMs, clock.monotonicMs() + delayMs);
      onTheWay.push({ dueMs: lastMs, arrive });
      if (onTheWay.length === 1) next();
    };
  }
}

const linkOf = (one: string, other: string): string => (one < other ? `${one} ${other}` : `${other} ${one}`);
