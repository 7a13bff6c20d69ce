import type { Timers } from "@twentysix/platform";
import type {
  ExportedDisk,
  ExportJob,
  ImportJob,
  ImportRequest,
  MigrationService,
  Started,
} from "../../control/instance-services.ts";
import type { Execution } from "../../executions/execution.ts";
import { type ExportServices, Exports } from "./exports.ts";
import { type ImportServices, Imports } from "./imports.ts";

const SWEEP_MS = 60_000;

/** Moves of instances between nodes, in both directions. */
export class Migrations implements MigrationService {
  readonly #exports: Exports;
  readonly #imports: Imports;
  readonly #services: ExportServices & ImportServices;
  readonly #closing = new AbortController();
  #sweeping: Promise<void> | null = null;

  constructor(services: ExportServices & ImportServices & { readonly timers: Timers }) {
    this.#services = services;
    this.#exports = new Exports(services);
    this.#imports = new Imports(services);
  }

  /** Once, after the executions are known and before the API answers. */
  async start(): Promise<void> {
    await this.#exports.recover();
    await this.#imports.recover();
    const { timers, log } = this.#services;
    const sweep = async (): Promise<void> => {
      this.#imports.expire();
      await this.#exports.expire();
    };
    this.#sweeping = timers.every(SWEEP_MS, sweep, {
      signal: this.#closing.signal,
      onError: (error) => log.error("exports that nobody took could not be given up", { error }),
    });
  }

  startExport(execution: Execution, signal: AbortSignal): Promise<Started<ExportJob>> {
    signal.throwIfAborted();
    return this.#exports.start(execution);
  }

  exportJob(vmHash: string): ExportJob | null {
    return this.#exports.job(vmHash);
  }

  async openDisk(vmHash: string, fileName: string, token: string): Promise<ExportedDisk | null> {
    return this.#exports.openDisk(vmHash, fileName, token);
  }

  startImport(request: ImportRequest, signal: AbortSignal): Promise<Started<ImportJob>> {
    signal.throwIfAborted();
    return this.#imports.start(request);
  }

  importJob(vmHash: string): ImportJob | null {
    return this.#imports.job(vmHash);
  }

  cancelExport(vmHash: string): Promise<void> {
    return this.#exports.cancel(vmHash);
  }

  cleanUp(vmHash: string, signal: AbortSignal): Promise<void> {
    return this.#exports.cleanUp(vmHash, signal);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#sweeping;
    await this.#exports.close();
    await this.#imports.close();
  }
}
