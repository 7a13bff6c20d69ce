import { ExecutionError } from "../../../src/executions/errors.ts";
import type { Execution } from "../../../src/executions/execution.ts";
import type { Executions } from "../../../src/executions/executions.ts";
import type { VmMessage } from "../../../src/messages/core-node-client.ts";

export type StartStop = Pick<Executions, "get" | "list" | "running" | "ensureRunning" | "stop" | "reboot">;

/** The book of machines, in memory: starts and stops what it is given a way for. */
export class TestExecutions implements StartStop {
  readonly starts: string[] = [];
  readonly stops: string[] = [];
  readonly #rows = new Map<string, Execution>();
  readonly #start: (message: VmMessage) => Promise<void>;
  readonly #stop: (vmHash: string) => Promise<void>;

  constructor(options: {
    readonly start: (message: VmMessage) => Promise<void>;
    readonly stop?: (vmHash: string) => Promise<void>;
  }) {
    this.#start = options.start;
    this.#stop = options.stop ?? (async () => {});
  }

  get(vmHash: string): Execution | null {
    return this.#rows.get(vmHash) ?? null;
  }

  list(): readonly Execution[] {
    return [...this.#rows.values()];
  }

  running(): null {
    return null;
  }

  async ensureRunning(
    message: VmMessage,
    options: Parameters<Executions["ensureRunning"]>[1],
  ): Promise<Execution> {
    this.starts.push(message.itemHash);
    await this.#start(message);
    return this.#set(message.itemHash, executionOf(message, options));
  }

  async stop(vmHash: string): Promise<Execution> {
    this.stops.push(vmHash);
    await this.#stop(vmHash);
    return this.#set(vmHash, { ...this.#row(vmHash), state: "stopped", desired: "stopped" });
  }

  async reboot(vmHash: string): Promise<Execution> {
    return this.#row(vmHash);
  }

  #row(vmHash: string): Execution {
    const row = this.#rows.get(vmHash);
    if (row === undefined) throw new ExecutionError("NOT_FOUND", `${vmHash} is not here`);
    return row;
  }

  #set(vmHash: string, row: Execution): Execution {
    this.#rows.set(vmHash, row);
    return row;
  }
}

export function executionOf(
  message: VmMessage,
  { source, isPersistent }: Parameters<Executions["ensureRunning"]>[1],
): Execution {
  const times = {
    definedAtMs: 0,
    preparingAtMs: null,
    preparedAtMs: null,
    startingAtMs: null,
    startedAtMs: null,
    stoppingAtMs: null,
    stoppedAtMs: null,
  };
  return {
    vmHash: message.itemHash,
    vmNumber: 4,
    state: "running",
    desired: "running",
    reason: null,
    kind: "program",
    isPersistent,
    source,
    owner: message.content.address,
    content: message.content,
    resolved: message.content,
    mode: "normal",
    times,
  };
}
