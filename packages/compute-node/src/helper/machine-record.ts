import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { VmExit } from "../hypervisor/hypervisor.ts";
import type { VmSpec } from "../hypervisor/vm-spec.ts";
import type { ProcessIdentity } from "./host-processes.ts";
import { readKept } from "./kept-json.ts";

/** What the helper writes down of a machine before it lets it run. */
export interface MachineRecord {
  readonly spec: VmSpec;
  /** Made by whoever asked: the same request, sent twice, starts one machine. */
  readonly launchId: string;
  readonly process: ProcessIdentity;
  /** Connects it to the internet, where it has a namespace of its own. */
  readonly companion: ProcessIdentity | null;
  /** Its vsock device; null or absent: it has none. */
  readonly vsockDevice?: ProcessIdentity | null;
  readonly userId: number | null;
  readonly runDir: string;
  readonly bootId: string;
  readonly startedAtMs: number;
  /** `starting`: QEMU has not run a guest yet, and never will when the helper ends now. */
  readonly phase: "starting" | "running";
  /** On the clock that counts from the host's boot; null: needs no renewal. */
  readonly leaseEndsAtUptimeMs: number | null;
  /** It is to end at this time, for this reason. */
  readonly ending: { readonly atUptimeMs: number; readonly reason: VmExit["reason"] } | null;
}

/** Of a machine that has ended, kept a while for whoever asks late. */
export interface ExitRecord {
  readonly vmHash: string;
  readonly launchId: string;
  readonly exit: VmExit;
}

const MAX_EXITS = 500;

/**
 * Records of machines, a file each. They are replaced as a whole; they need not outlive a loss of power, since no
 * machine does.
 */
export class MachineRecords {
  readonly #folder: string;
  #exits: ExitRecord[];

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#exits = this.#readExits();
  }

  write(record: MachineRecord): void {
    this.#replace(this.#fileOf(record.spec.vmHash), record);
  }

  /** Those of this boot of the host; older ones are removed. */
  readAll(currentBootId: string): MachineRecord[] {
    const names = readdirSync(this.#folder).filter((name) => name.startsWith("vm-"));
    return names.flatMap((name) => {
      const file = join(this.#folder, name);
      const record = name.endsWith(".json") ? readKept<MachineRecord>(file) : null;
      if (record?.bootId === currentBootId) return [record];
      rmSync(file, { force: true });
      return [];
    });
  }

  /** Replaces the record of a machine by that of its end. */
  finish(record: MachineRecord, exit: VmExit): void {
    const { vmHash } = record.spec;
    this.#exits = [
      ...this.#exits.filter((each) => each.vmHash !== vmHash),
      { vmHash, launchId: record.launchId, exit },
    ];
    this.#writeExits();
    rmSync(this.#fileOf(vmHash), { force: true });
  }

  exitOf(launchId: string): VmExit | null {
    return this.#exits.find((each) => each.launchId === launchId)?.exit ?? null;
  }

  forget(vmHash: string): void {
    if (!this.#exits.some((each) => each.vmHash === vmHash)) return;
    this.#exits = this.#exits.filter((each) => each.vmHash !== vmHash);
    this.#writeExits();
  }

  #writeExits(): void {
    this.#exits = this.#exits.slice(-MAX_EXITS);
    this.#replace(join(this.#folder, "exits.json"), this.#exits);
  }

  #readExits(): ExitRecord[] {
    return readKept(join(this.#folder, "exits.json")) ?? [];
  }

  #fileOf(vmHash: string): string {
    return join(this.#folder, `vm-${vmHash}.json`);
  }

  #replace(file: string, value: unknown): void {
    writeFileSync(`${file}.tmp`, JSON.stringify(value), { mode: 0o600 });
    renameSync(`${file}.tmp`, file);
  }
}
