import { SchedulerError } from "../errors.ts";
import type { NodeAnswer, NodeClient } from "../http/node-client.ts";
import { at, isLoose, numberOf, textOf } from "../inputs/json-reading.ts";
import type { SchedulerSettings } from "../settings.ts";
import type { SchedulerStore } from "../state/store.ts";

/** Where an export is; the files and the token go to the target as they came. */
export interface ExportStatus {
  readonly state: string;
  readonly finishedAtMs: number | null;
  readonly error: string | null;
  readonly token: string | null;
  readonly files: readonly unknown[];
}

export interface ImportStatus {
  readonly state: string;
  readonly downloadedBytes: number;
  readonly error: string | null;
}

export type Outcome =
  | { readonly kind: "going" }
  | { readonly kind: "done" }
  /** `isHere`: the node may have the machine already. `isPassing`: it may be otherwise later. */
  | {
      readonly kind: "never";
      readonly text: string;
      readonly isHere?: boolean;
      readonly isPassing?: boolean;
    };

const MAX_FILES = 256;

/** The signed calls of a cold migration. Source: aleph-vm `orchestrator/views/migration.py`. */
export class MigrationCalls {
  readonly #client: NodeClient;
  readonly #store: SchedulerStore;
  readonly #settings: SchedulerSettings;

  constructor(client: NodeClient, store: SchedulerStore, settings: SchedulerSettings) {
    this.#client = client;
    this.#store = store;
    this.#settings = settings;
  }

  async startExport(source: string, vmHash: string, signal: AbortSignal): Promise<Outcome> {
    const answer = await this.#call(
      source,
      "POST",
      `/control/machine/${vmHash}/migration/export`,
      {},
      signal,
    );
    if (answer.status === 202 || answer.status === 200) return { kind: "going" };
    if (answer.status === 409) return { kind: "done" };
    if (answer.status === 400 || answer.status === 404) {
      const text = errorOf(answer);
      // Its node was started again in the middle of the export; the next list starts the machine.
      return { kind: "never", text, isPassing: /not running/i.test(text) };
    }
    throw unexpected("the export of a machine", answer);
  }

  /** null: the node knows of no export. */
  async exportStatus(source: string, vmHash: string, signal: AbortSignal): Promise<ExportStatus | null> {
    const route = `/control/machine/${vmHash}/migration/export/status`;
    const answer = await this.#call(source, "GET", route, undefined, signal);
    if (answer.status === 404) return null;
    const state = textOf(at(answer.json, "state"));
    if (answer.status !== 200 || state === null) throw unexpected("the status of an export", answer);
    const files = at(answer.json, "disk_files");
    const finished = Date.parse(textOf(at(answer.json, "finished_at")) ?? "");
    return {
      state,
      finishedAtMs: Number.isNaN(finished) ? null : finished,
      error: textOf(at(answer.json, "error")),
      token: textOf(at(answer.json, "export_token")),
      files: Array.isArray(files) ? files.slice(0, MAX_FILES) : [],
    };
  }

  async startImport(
    target: string,
    source: string,
    vmHash: string,
    { token, files }: ExportStatus,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { host, port } = this.#placeOf(source);
    const body = {
      vm_hash: vmHash,
      source_host: host,
      source_port: port,
      export_token: token,
      disk_files: files,
    };
    const answer = await this.#call(target, "POST", "/control/migrate", body, signal);
    if (answer.status === 202 || answer.status === 200) return { kind: "going" };
    if (answer.status === 409 && at(answer.json, "state") === "imported") return { kind: "done" };
    if (answer.status >= 400 && answer.status < 500) {
      return { kind: "never", text: errorOf(answer), isHere: answer.status === 409 };
    }
    throw unexpected("the import of a machine", answer);
  }

  async importStatus(target: string, vmHash: string, signal: AbortSignal): Promise<ImportStatus | null> {
    const answer = await this.#call(target, "GET", `/control/migrate/${vmHash}/status`, undefined, signal);
    if (answer.status === 404) return null;
    const state = textOf(at(answer.json, "state"));
    if (answer.status !== 200 || state === null) throw unexpected("the status of an import", answer);
    return {
      state,
      downloadedBytes: numberOf(at(answer.json, "bytes_downloaded")) ?? 0,
      error: textOf(at(answer.json, "error")),
    };
  }

  /** Lets the source forget what was exported. `going`: the target still downloads. */
  async cleanUp(source: string, vmHash: string, signal: AbortSignal): Promise<Outcome> {
    const route = `/control/machine/${vmHash}/migration/cleanup`;
    const answer = await this.#call(source, "POST", route, {}, signal);
    if (answer.status === 200) return { kind: "done" };
    if (answer.status === 409 && errorOf(answer).includes("in progress")) return { kind: "going" };
    if (answer.status === 409 || answer.status === 404) return { kind: "never", text: errorOf(answer) };
    throw unexpected("the clean-up after a migration", answer);
  }

  /** Gives an export up that nobody will take: its node may run the machine again. Those of the reference cannot. */
  async cancel(source: string, vmHash: string, signal: AbortSignal): Promise<void> {
    await this.#call(source, "POST", `/control/machine/${vmHash}/migration/cancel`, {}, signal);
  }

  #placeOf(nodeHash: string): { readonly host: string; readonly port: number } {
    const { hostname, port, protocol } = new URL(this.#addressOf(nodeHash));
    return {
      host: hostname.replace(/^\[|\]$/g, ""),
      port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port),
    };
  }

  #addressOf(nodeHash: string): string {
    const address = this.#store.nodes.get(nodeHash)?.registration.address ?? null;
    if (address !== null) return address;
    throw new SchedulerError("SCHEDULER_UNREACHABLE", "a node of a migration has no address any more");
  }

  #call(
    nodeHash: string,
    method: "GET" | "POST",
    route: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<NodeAnswer> {
    const address = this.#addressOf(nodeHash);
    const timeoutMs = this.#settings.pollTimeoutMs;
    return this.#client.call({ nodeHash, address, method, route, body, isSigned: true, timeoutMs, signal });
  }
}

function errorOf({ json, text }: NodeAnswer): string {
  const error = isLoose(json) ? textOf(json.error) : null;
  return (error ?? text).slice(0, 500);
}

const unexpected = (what: string, answer: NodeAnswer): SchedulerError =>
  new SchedulerError("SCHEDULER_BAD_ANSWER", `${what}: status ${answer.status}: ${errorOf(answer)}`);
