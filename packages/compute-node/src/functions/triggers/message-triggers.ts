import { type Clock, isAbortOf, type Logger, Semaphore, type Timers } from "@twentysix/platform";
import { isJsonObject, type JsonObject, memberOf } from "@twentysix/protocol";
import type { CoreNodeClient } from "../../messages/core-node-client.ts";
import type { FedMessage } from "../../messages/message-feed.ts";
import type { FunctionObserver } from "../function-observer.ts";
import { FunctionError } from "../http/function-error.ts";
import type { ProgramStarter } from "../http/program-starter.ts";
import type { ProgramUsage } from "../life-cycle/program-usage.ts";
import { activeComputeNodes, chosenNode } from "./chosen-node.ts";
import type { TriggerStore } from "./trigger-store.ts";

export interface MessageTriggersOptions {
  readonly store: TriggerStore;
  readonly starter: Pick<ProgramStarter, "ready">;
  readonly usage: ProgramUsage;
  readonly coreNode: Pick<CoreNodeClient, "aggregate">;
  /** Where the network's registry of nodes is; null: there is none. */
  readonly registry: { readonly address: string; readonly key: string } | null;
  /** Of this node in it; null: it is not in it. */
  readonly nodeHash: () => string | null;
  readonly slowness: () => number;
  readonly observer?: Pick<FunctionObserver, "triggered"> | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Of all programs together: most of them wait for their program. How many start at once is bounded where they do. */
const RUNS = { permits: 64, maxWaiters: 256 };
/** As long as our agent waits for a program; one that says nothing for longer gives its place to others. */
const MAX_EVENT_SECONDS = 300;
/** Of one program that may wait. */
const MAX_WAITING = 32;
const PER_MINUTE = 60;
const REGISTRY_MS = 60_000;
/** After a start that failed: later than it is remembered, and than others take to make room. */
const RETRY_MS = [6_000, 30_000, 120_000];
const MAX_REMEMBERED = 10_000;

interface ProgramRuns {
  waiting: number;
  tail: Promise<void>;
  units: number;
  filledAtMs: number;
}

/** Runs programs for the messages that they subscribed to, on one node each. */
export class MessageTriggers {
  readonly #options: MessageTriggersOptions;
  readonly #runs = new Semaphore(RUNS);
  readonly #programs = new Map<string, ProgramRuns>();
  #nodes: { readonly hashes: readonly string[]; readonly untilMs: number } | null = null;

  constructor(options: MessageTriggersOptions) {
    this.#options = options;
  }

  /** A message that was processed. Returns at once, and throws nothing. */
  seen(fed: FedMessage): void {
    const { message } = fed;
    const object: JsonObject = { ...message } as unknown as JsonObject;
    const wanting = this.#options.store.wanting(object);
    if (wanting.length > 0 && fed.isAuthentic()) {
      const text = JSON.stringify(object, (_key, value) =>
        typeof value === "bigint" ? Number(value) : value,
      );
      for (const vmHash of wanting) this.#enqueue(vmHash, message.item_hash, text);
    }
    this.learn(fed);
    if (message.type === "FORGET" && fed.isAuthentic()) this.#forget(message.content);
  }

  /** A program that may wait for messages; nothing else is looked at. */
  learn(fed: FedMessage): void {
    const { type, content, item_hash } = fed.message;
    if (type !== "PROGRAM" || content === undefined) return;
    const on = memberOf(content, "on");
    const subscriptions = isJsonObject(on) ? memberOf(on, "message") : undefined;
    if (!Array.isArray(subscriptions) || !fed.isAuthentic()) return;
    this.#options.store.register(item_hash, subscriptions.filter(isJsonObject));
  }

  /** Resolves when nothing runs for a message and nothing waits to. */
  async whenIdle(): Promise<void> {
    const isBusy = (): boolean => [...this.#programs.values()].some(({ waiting }) => waiting > 0);
    while (isBusy()) await Promise.all([...this.#programs.values()].map(({ tail }) => tail));
  }

  /** Core nodes tell of a FORGET once they have applied it: who signed it was allowed to. */
  #forget(content: JsonObject | undefined): void {
    const hashes = content === undefined ? undefined : memberOf(content, "hashes");
    if (!Array.isArray(hashes)) return;
    for (const hash of hashes) if (typeof hash === "string") this.#options.store.remove(hash);
  }

  #enqueue(vmHash: string, messageHash: string, text: string): void {
    const program = this.#programOf(vmHash);
    if (!this.#mayRun(program)) {
      this.#options.observer?.triggered("left_out");
      this.#options.log.warn("a program gets more messages than it may: one is left out", {
        vmHash,
        messageHash,
      });
      return;
    }
    program.waiting += 1;
    program.tail = program.tail
      .then(() => this.#run(vmHash, messageHash, text))
      .catch((error: unknown) => this.#tell(vmHash, messageHash, error))
      .finally(() => {
        program.waiting -= 1;
      });
  }

  async #run(vmHash: string, messageHash: string, text: string): Promise<void> {
    const { store, signal, timers } = this.#options;
    signal.throwIfAborted();
    if (!(await this.#isOurs(vmHash, messageHash)) || !store.claimRun(vmHash, messageHash)) return;
    for (const delayMs of [...RETRY_MS, null]) {
      try {
        await this.#give(vmHash, messageHash, text);
        this.#options.observer?.triggered("done");
        return;
      } catch (error) {
        if (delayMs === null || !isPassing(error)) throw error;
        await timers.sleep(delayMs, signal);
      }
    }
  }

  /** @throws FunctionError when it could not be started; what its program failed with */
  async #give(vmHash: string, messageHash: string, text: string): Promise<void> {
    const { store, signal, starter, usage, timers, slowness } = this.#options;
    using _turn = await this.#runs.acquire(signal);
    const end = usage.begin(vmHash);
    try {
      const { guest, execution } = await starter.ready({ vmHash, client: null, source: "trigger" }, signal);
      const seconds = Math.min(execution.content.resources.seconds, MAX_EVENT_SECONDS);
      const deadlineMs = seconds * 1_000 * slowness();
      store.beginRun(vmHash, messageHash);
      await timers.withTimeout(deadlineMs, (bounded) => guest.sendEvent(text, bounded), signal);
    } finally {
      end();
    }
  }

  /** A node outside of the registry runs programs only where nobody else could. */
  async #isOurs(vmHash: string, messageHash: string): Promise<boolean> {
    const own = this.#options.nodeHash();
    const hashes = await this.#activeNodes();
    if (hashes.length === 0) return true;
    return own !== null && chosenNode(hashes, vmHash, messageHash) === own;
  }

  async #activeNodes(): Promise<readonly string[]> {
    const { registry, coreNode, clock, signal, log } = this.#options;
    if (registry === null) return [];
    if (this.#nodes !== null && this.#nodes.untilMs > clock.monotonicMs()) return this.#nodes.hashes;
    try {
      const aggregate = await coreNode.aggregate(registry.address, registry.key, signal);
      const inner = aggregate === null ? null : (memberOf(aggregate, registry.key) ?? aggregate);
      const hashes = activeComputeNodes(isJsonObject(inner ?? undefined) ? (inner as JsonObject) : null);
      this.#nodes = { hashes, untilMs: clock.monotonicMs() + REGISTRY_MS };
      return hashes;
    } catch (error) {
      if (isAbortOf(signal, error) || this.#nodes === null) throw error;
      log.warn("the registry of nodes could not be read: that of before is used", { error });
      return this.#nodes.hashes;
    }
  }

  #tell(vmHash: string, messageHash: string, error: unknown): void {
    const { log, signal, store } = this.#options;
    if (isAbortOf(signal, error)) return;
    this.#options.observer?.triggered("failed");
    // Its message is not in force, or it is none that is run: it waits for nothing any more.
    if (error instanceof FunctionError && error.status === 404) store.remove(vmHash);
    log.warn("a program did not take a message", { vmHash, messageHash, error });
  }

  #programOf(vmHash: string): ProgramRuns {
    const nowMs = this.#options.clock.monotonicMs();
    const known = this.#programs.get(vmHash);
    if (known === undefined && this.#programs.size >= MAX_REMEMBERED) this.#forgetIdle();
    const program = known ?? { waiting: 0, tail: Promise.resolve(), units: PER_MINUTE, filledAtMs: nowMs };
    this.#programs.set(vmHash, program);
    return program;
  }

  /** Whose budget is full again may as well be forgotten. */
  #forgetIdle(): void {
    for (const [vmHash, { waiting }] of this.#programs) if (waiting === 0) this.#programs.delete(vmHash);
  }

  #mayRun(program: ProgramRuns): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    const gained = ((nowMs - program.filledAtMs) / 60_000) * PER_MINUTE;
    program.units = Math.min(PER_MINUTE, program.units + gained);
    program.filledAtMs = nowMs;
    if (program.waiting >= MAX_WAITING || program.units < 1) return false;
    program.units -= 1;
    return true;
  }
}

/** A start that may succeed later; a program that is not to be run is no such thing, nor one that failed at its message. */
function isPassing(error: unknown): boolean {
  return error instanceof FunctionError && error.status !== 404;
}
