import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, isAbortOf, type Logger, type Timers } from "@twentysix/platform";
import type { Hypervisor, RunningVm } from "../../hypervisor/hypervisor.ts";
import type { VmSpec } from "../../hypervisor/vm-spec.ts";
import { ensureSparseFile, WRITABLE_SLOTS } from "../program/program-disks.ts";
import type { GuestConnection } from "../transport/guest-connection.ts";
import type { TemplateStore } from "./template-store.ts";

export interface TemplateMakerOptions {
  readonly store: TemplateStore;
  readonly hypervisor: Hypervisor;
  /** Connects to the guest of a machine; resolves when it waits for a configuration. */
  readonly connect: (vm: RunningVm, signal: AbortSignal) => Promise<GuestConnection>;
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Pick<Timers, "withTimeout">;
  readonly log: Logger;
}

/** Numbers of machines begin above it: see `START_ID_INDEX` of the reference. */
const TEMPLATE_VM_NUMBER = 3;
/** A machine whose node has died ends by itself. */
const LEASE_MS = 300_000;
const MAX_WAITING = 16;
const MIB = 1_048_576;
/** What is kept beside the memory of a guest. */
const DEVICES_MIB = 16;
const FAILURE_MEMORY_MS = 600_000;

type Blueprint = Omit<VmSpec, "vmHash" | "vmNumber" | "snapshot" | "leaseMs">;

/** Makes templates in the background, one after the other: nobody waits for one. */
export class TemplateMaker {
  readonly #options: TemplateMakerOptions;
  readonly #waiting = new Map<string, Blueprint>();
  readonly #failedAtMs = new Map<string, number>();
  readonly #closing = new AbortController();
  #work: Promise<void> | null = null;
  #current: string | null = null;

  constructor(options: TemplateMakerOptions) {
    this.#options = options;
  }

  /** Asks for a template; does nothing where one is on its way, or lately could not be made. */
  request(key: string, blueprint: Blueprint): void {
    const failedAtMs = this.#failedAtMs.get(key);
    const nowMs = this.#options.clock.monotonicMs();
    if (failedAtMs !== undefined && nowMs - failedAtMs < FAILURE_MEMORY_MS) return;
    const isKnown = this.#current === key || this.#waiting.has(key);
    if (isKnown || this.#waiting.size >= MAX_WAITING || this.#closing.signal.aborted) return;
    this.#waiting.set(key, blueprint);
    this.#work ??= this.#run().finally(() => {
      this.#work = null;
    });
  }

  /** Resolves when nothing is being made. */
  async whenIdle(): Promise<void> {
    await this.#work;
  }

  async close(): Promise<void> {
    this.#waiting.clear();
    this.#closing.abort();
    await this.#work;
  }

  async #run(): Promise<void> {
    const { log, clock, timers, timeoutMs, store } = this.#options;
    const { signal } = this.#closing;
    for (const [key, blueprint] of this.#waiting) {
      this.#waiting.delete(key);
      this.#current = key;
      try {
        if ((await store.find(key)) === null) {
          await timers.withTimeout(timeoutMs, (bounded) => this.#make(key, blueprint, bounded), signal);
        }
      } catch (error) {
        this.#failedAtMs.set(key, clock.monotonicMs());
        if (!isAbortOf(signal, error))
          log.warn("a template could not be made: machines boot instead", { key, error });
      }
      this.#current = null;
    }
  }

  async #make(key: string, blueprint: Blueprint, signal: AbortSignal): Promise<void> {
    const { store, hypervisor, connect, log, clock } = this.#options;
    const startedMs = clock.monotonicMs();
    const folder = await store.begin(key, (blueprint.memoryMib + DEVICES_MIB) * MIB);
    const vmHash = `template-${key}`;
    let vm: RunningVm | null = null;
    try {
      vm = await hypervisor.start(
        {
          ...blueprint,
          drives: await withOwnFiles(blueprint.drives, folder),
          vmHash,
          vmNumber: TEMPLATE_VM_NUMBER,
          snapshot: { kind: "template", folder },
          leaseMs: LEASE_MS,
        },
        signal,
      );
      const connection = await connect(vm, signal);
      connection.close();
      await vm.saveTemplate(signal);
      await removeOwnFiles(folder);
      await store.finish(key);
      log.info("a template was made", { key, ms: Math.round(clock.monotonicMs() - startedMs) });
    } catch (error) {
      await vm?.kill();
      await store.drop(key);
      throw error;
    }
    await hypervisor.forget(vmHash, signal);
  }
}

/** Two machines cannot write one file: the writable places get files of this one alone. */
async function withOwnFiles(drives: VmSpec["drives"], folder: string): Promise<VmSpec["drives"]> {
  let count = 0;
  const own: VmSpec["drives"][number][] = [];
  for (const drive of drives) {
    if (drive.isReadOnly) {
      own.push(drive);
      continue;
    }
    own.push({ ...drive, path: await ensureSparseFile(join(folder, `empty-${count}`)) });
    count += 1;
  }
  return own;
}

async function removeOwnFiles(folder: string): Promise<void> {
  for (let index = 0; index < WRITABLE_SLOTS; index += 1)
    await rm(join(folder, `empty-${index}`), { force: true });
}
