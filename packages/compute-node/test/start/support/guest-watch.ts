import { setTimeout as sleep } from "node:timers/promises";
import type { CabledMachine } from "./cabled-machine.ts";
import { guestsBelow } from "./host-table.ts";

/** One process of a guest, between looks at the table of processes. Unix time in milliseconds. */
export interface GuestLife {
  readonly vmHash: string;
  readonly nodeHash: string;
  readonly pid: number;
  /** When the last look began that did not find it: it began later. */
  readonly notBeforeMs: number;
  /** When the first look was over that found it. */
  readonly seenAtMs: number;
  /** When the first look was over that did not find it any more: it had ended; null: it goes on. */
  endedByMs: number | null;
}

const PERIOD_MS = 200;

/** Sees when guests begin and end on machines, from outside: by the processes of this host. */
export class GuestWatch implements AsyncDisposable {
  readonly lives: GuestLife[] = [];
  /** Looks that found two processes of one machine. */
  readonly twice: string[] = [];
  readonly #folder: string;
  readonly #machines: readonly CabledMachine[];
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  #lastLookMs = Date.now();

  constructor(folder: string, machines: readonly CabledMachine[]) {
    this.#folder = folder;
    this.#machines = machines;
    this.#ended = this.#run();
  }

  /** The nodes on which a machine runs now. */
  placesOf(vmHash: string): readonly string[] {
    return this.lives
      .filter((life) => life.vmHash === vmHash && life.endedByMs === null)
      .map(({ nodeHash }) => nodeHash);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#look();
      await sleep(PERIOD_MS);
    }
  }

  #look(): void {
    const beganMs = Date.now();
    const guests = guestsBelow(this.#folder);
    const overMs = Date.now();
    for (const [at, { vmHash, place }] of guests.entries()) {
      const other = guests.slice(at + 1).find((guest) => guest.vmHash === vmHash);
      if (other !== undefined) this.twice.push(`${vmHash} in ${place} and ${other.place}`);
    }
    const pids = new Set(guests.map(({ pid }) => pid));
    for (const life of this.lives) if (!pids.has(life.pid)) life.endedByMs ??= overMs;
    const known = new Set(this.lives.filter(({ endedByMs }) => endedByMs === null).map(({ pid }) => pid));
    for (const { pid, vmHash, place } of guests) {
      const machine = this.#machines.find(({ computeDir }) => place.startsWith(`${computeDir}/`));
      if (known.has(pid) || machine === undefined) continue;
      const { nodeHash } = machine;
      this.lives.push({
        vmHash,
        nodeHash,
        pid,
        notBeforeMs: this.#lastLookMs,
        seenAtMs: overMs,
        endedByMs: null,
      });
    }
    this.#lastLookMs = beganMs;
  }
}
