import type { Clock } from "@twentysix/platform";
import type { InstanceContent, ProgramContent } from "@twentysix/protocol";
import { ExecutionError } from "../errors.ts";
import type { Execution } from "../execution.ts";
import { mayHaveProcess } from "../transitions.ts";
import {
  type CapacityLimits,
  type CapacitySettings,
  capacityLimits,
  type HostCapacity,
  reservedDiskMib,
} from "./capacity.ts";
import { DiskClaims } from "./disk-claims.ts";
import type { DiskUse } from "./disk-use.ts";
import { type Needs, needsOf, promisedDiskMib } from "./needs.ts";

export interface AdmissionOptions {
  readonly host: HostCapacity;
  readonly settings: CapacitySettings;
  /** Executions that are not gone. */
  readonly executions: () => readonly Execution[];
  readonly measureDisk: () => Promise<DiskUse>;
  readonly clock: Pick<Clock, "nowMicros" | "monotonicMs">;
}

/** What machines that run or shall, and reservations, have of this host. */
export interface TakenRoom {
  readonly vcpus: number;
  readonly instanceMemoryMib: number;
  readonly programMemoryMib: number;
  /** As promised, to stopped machines too. */
  readonly diskMib: number;
}

/** What could still be started here. */
export interface HeadRoom {
  readonly vcpus: number;
  readonly instanceMemoryMib: number;
  readonly programMemoryMib: number;
  readonly diskMib: number;
}

interface Viewer {
  readonly owner: string;
  readonly vmHash: string | null;
}

interface Reservation {
  readonly needs: Needs;
  readonly endsAtMs: number;
}

const MIB = 1_048_576;
const RESERVATION_MS = 60_000;
/** How old a measure of the disk may be. */
const DISK_MEASURE_MS = 2_000;
/** Owners with a reservation: whoever signs may have one, so their number is bounded. */
const MAX_RESERVATIONS = 1_000;

/** Whether one more machine fits. Source: aleph-vm `resources.py`. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #limits: CapacityLimits;
  /** By the owner, in lower case: a delegate reserves for its principal. */
  readonly #reservations = new Map<string, Reservation>();
  /** Of work in progress. */
  readonly claims = new DiskClaims(() => this.#spareBytes());
  #disk: { readonly use: DiskUse; readonly atMs: number } | null = null;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#limits = capacityLimits(options.host, options.settings);
  }

  get limits(): CapacityLimits {
    return this.#limits;
  }

  /** Looks at the disk: `assertFits` then decides at once, so that two machines never get the same room. */
  async measure(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#disk === null || nowMs - this.#disk.atMs >= DISK_MEASURE_MS) await this.#measureNow();
  }

  /**
   * The owner's own reservation is room for it, those of others are not.
   *
   * @throws ExecutionError NO_CAPACITY: of what how much is missing
   */
  assertFits(content: ProgramContent | InstanceContent, owner: string, vmHash: string | null): void {
    const needs = needsOf(content);
    const room = this.headRoom({ owner, vmHash });
    const memoryMib = needs.kind === "instance" ? room.instanceMemoryMib : room.programMemoryMib;
    const missing = [
      shortage("vCPUs", needs.vcpus, room.vcpus),
      shortage(`MiB of memory for ${needs.kind}s`, needs.memoryMib, memoryMib),
      needs.diskMib > 0 ? shortage("MiB of disk", needs.diskMib, room.diskMib) : null,
    ].filter((text) => text !== null);
    if (missing.length === 0) return;
    throw new ExecutionError(
      "NO_CAPACITY",
      `Insufficient capacity to create VM. ${missing.join("; ")}. Choose another node, or ask for less`,
    );
  }

  /**
   * Holds room for the owner for 60 s; a newer reservation takes the place of an older one.
   *
   * @returns when it ends, Unix milliseconds
   * @throws ExecutionError NO_CAPACITY, BUSY
   */
  reserve(content: InstanceContent, owner: string): number {
    this.assertFits(content, owner, null);
    this.#dropEnded();
    const key = owner.toLowerCase();
    if (!this.#reservations.has(key) && this.#reservations.size >= MAX_RESERVATIONS) {
      throw new ExecutionError("BUSY", "too many reservations at once; ask again in a minute");
    }
    const { clock } = this.#options;
    this.#reservations.set(key, {
      needs: needsOf(content),
      endsAtMs: clock.monotonicMs() + RESERVATION_MS,
    });
    return Number(clock.nowMicros() / 1_000n) + RESERVATION_MS;
  }

  /** The machine is here: its execution takes the room that the reservation held. */
  consume(owner: string): void {
    this.#reservations.delete(owner.toLowerCase());
  }

  /** Of the file system of the machines' disks; 0 before it was measured. */
  get diskTotalMib(): number {
    return this.#disk?.use.totalMib ?? 0;
  }

  taken(): TakenRoom {
    const { needs, held } = this.#taken(null);
    const promised = this.#options.executions().map(promisedDiskMib);
    return {
      vcpus: sum(needs.map(({ vcpus }) => vcpus)),
      instanceMemoryMib: memoryOf(needs, "instance"),
      programMemoryMib: memoryOf(needs, "program"),
      diskMib: sum(promised) + sum(held.map(({ diskMib }) => diskMib)),
    };
  }

  /** For everybody, or as one owner sees it. A machine that is here already is not counted against itself. */
  headRoom(viewer: Viewer | null = null): HeadRoom {
    const { needs, held } = this.#taken(viewer);
    const room = (total: number, used: number): number => Math.max(total - used, 0);
    return {
      vcpus: room(this.#limits.vcpus, sum(needs.map(({ vcpus }) => vcpus))),
      instanceMemoryMib: room(this.#limits.instanceMemoryMib, memoryOf(needs, "instance")),
      programMemoryMib: room(this.#limits.programMemoryMib, memoryOf(needs, "program")),
      diskMib: this.#freeDiskMib(viewer?.vmHash ?? null, sum(held.map(({ diskMib }) => diskMib))),
    };
  }

  /** `held`: those of them that are reservations. */
  #taken(viewer: Viewer | null): { readonly needs: readonly Needs[]; readonly held: readonly Needs[] } {
    this.#dropEnded();
    const running = this.#options
      .executions()
      .filter(({ vmHash }) => vmHash !== viewer?.vmHash)
      .filter(({ desired, state }) => desired === "running" || mayHaveProcess(state))
      .map(({ content }) => needsOf(content));
    const held = Array.from(this.#reservations)
      .filter(([owner]) => owner !== viewer?.owner.toLowerCase())
      .map(([, { needs }]) => needs);
    return { needs: [...running, ...held], held };
  }

  /** What a machine may be given: backups and moves have a reserve. */
  #freeDiskMib(vmHash: string | null, heldMib: number): number {
    if (this.#disk === null) return 0;
    const reservedMib = reservedDiskMib(this.#disk.use.totalMib, this.#options.settings);
    const claimedMib = Math.ceil(this.claims.outstandingBytes / MIB);
    return Math.max(this.#unpromisedMib(this.#disk.use, vmHash) - reservedMib - claimedMib - heldMib, 0);
  }

  /** Free, without what machines were promised and have not taken yet; stopped machines keep their promise. */
  #unpromisedMib({ freeMib, usedMib }: DiskUse, vmHash: string | null): number {
    const promised = this.#options.executions().map((execution) => {
      const owedMib = Math.max(promisedDiskMib(execution) - (usedMib.get(execution.vmHash) ?? 0), 0);
      // What it is promised by its message is what is asked for.
      return execution.vmHash === vmHash ? owedMib - needsOf(execution.content).diskMib : owedMib;
    });
    return freeMib - sum(promised);
  }

  async #measureNow(): Promise<DiskUse> {
    const { clock, measureDisk } = this.#options;
    await this.claims.look();
    const use = await measureDisk();
    this.#disk = { use, atMs: clock.monotonicMs() };
    return use;
  }

  async #spareBytes(): Promise<number> {
    const use = await this.#measureNow();
    this.#dropEnded();
    const held = Array.from(this.#reservations.values(), ({ needs }) => needs.diskMib);
    return (this.#unpromisedMib(use, null) - sum(held)) * MIB;
  }

  #dropEnded(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [owner, { endsAtMs }] of this.#reservations) {
      if (endsAtMs <= nowMs) this.#reservations.delete(owner);
    }
  }
}

function shortage(what: string, required: number, available: number): string | null {
  return required <= available ? null : `${required} ${what} required, ${available} available`;
}

function memoryOf(needs: readonly Needs[], wanted: Needs["kind"]): number {
  return sum(needs.filter(({ kind }) => kind === wanted).map(({ memoryMib }) => memoryMib));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
