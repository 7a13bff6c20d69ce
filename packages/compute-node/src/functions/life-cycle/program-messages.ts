import type { Clock, Logger, Timers } from "@twentysix/platform";
import type { CoreNodeClient, VmMessage } from "../../messages/core-node-client.ts";
import { FunctionError } from "../http/function-error.ts";

type ProgramMessage = Extract<VmMessage, { readonly type: "PROGRAM" }>;

export interface ProgramMessagesOptions {
  readonly coreNode: Pick<CoreNodeClient, "vmMessage">;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Pick<Timers, "withTimeout">;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** The newest version of a program: itself where there is none. */
  readonly newestVersion: (message: ProgramMessage, signal: AbortSignal) => Promise<ProgramMessage>;
  /** Told of a program that runs, of which there is a newer version. */
  readonly onReplaced: (vmHash: string) => void;
  /**
   * Told of a program that runs and may have to end: one core node does not know its message any more, or says that it is
   * not paid. That core node may be behind, or wrong: whoever is told asks the others.
   */
  readonly onUnfit: (vmHash: string, reason: string) => void;
}

interface Known {
  readonly message: ProgramMessage;
  untilMs: number;
}

/** How long what a core node said of a message is believed. */
const FRESH_MS = 30_000;
const TIMEOUT_MS = 20_000;
const MAX_KNOWN = 1_000;

/** Messages of programs, asked again after a while: they can be forgotten, and balances end. */
export class ProgramMessages {
  readonly #options: ProgramMessagesOptions;
  readonly #known = new Map<string, Known>();
  readonly #refreshing = new Set<string>();
  #forgets = 0;

  constructor(options: ProgramMessagesOptions) {
    this.#options = options;
  }

  /**
   * The message of a program that may be started for a request, or for an event.
   *
   * @throws FunctionError when there is none, it is no program that serves them, or it is not in force
   */
  async program(vmHash: string, purpose: "http" | "event", signal: AbortSignal): Promise<ProgramMessage> {
    const known = this.#known.get(vmHash);
    const isFresh = known !== undefined && known.untilMs > this.#options.clock.monotonicMs();
    const forgets = this.#forgets;
    const message = isFresh ? known.message : await this.#ask(vmHash, signal);
    const problem = unfitness(message, vmHash, purpose);
    if (problem !== null) throw problem;
    if (isFresh) return known.message;
    return this.#keep(vmHash, await this.#newest(message as ProgramMessage, signal), forgets);
  }

  /** Asks again in the background when what is known is old: a request of a running program does not wait. */
  refresh(vmHash: string): void {
    const known = this.#known.get(vmHash);
    const isFresh = known !== undefined && known.untilMs > this.#options.clock.monotonicMs();
    if (isFresh || this.#refreshing.has(vmHash)) return;
    this.#refreshing.add(vmHash);
    this.#refresh(vmHash)
      .catch((error: unknown) => {
        // A core node that cannot be reached stops nothing: it is asked again at the next request.
        this.#options.log.debug("the message of a running program could not be asked again", {
          vmHash,
          error,
        });
      })
      .finally(() => this.#refreshing.delete(vmHash));
  }

  /** Hash of the version that serves for a program, as far as it is known. */
  versionOf(vmHash: string): string {
    return this.#known.get(vmHash)?.message.itemHash ?? vmHash;
  }

  /** What is known of it may not be so any more. */
  forget(vmHash: string): void {
    this.#forgets += 1;
    this.#known.delete(vmHash);
  }

  async #refresh(vmHash: string): Promise<void> {
    const forgets = this.#forgets;
    const message = await this.#ask(vmHash, this.#options.signal);
    const problem = unfitness(message, vmHash, null);
    if (problem === null) {
      const before = this.versionOf(vmHash);
      const newest = await this.#newest(message as ProgramMessage, this.#options.signal);
      this.#keep(vmHash, newest, forgets);
      if (newest.itemHash !== before) this.#options.onReplaced(before);
      return;
    }
    this.#known.delete(vmHash);
    this.#options.onUnfit(vmHash, problem.message);
  }

  #ask(vmHash: string, signal: AbortSignal): Promise<VmMessage | null> {
    const { timers, coreNode } = this.#options;
    return timers.withTimeout(TIMEOUT_MS, (bounded) => coreNode.vmMessage(vmHash, bounded), signal);
  }

  /** While no core node answers, the version that served last. */
  async #newest(message: ProgramMessage, signal: AbortSignal): Promise<ProgramMessage> {
    const { timers, newestVersion, log } = this.#options;
    const before = this.#known.get(message.itemHash)?.message ?? message;
    try {
      return await timers.withTimeout(TIMEOUT_MS, (bounded) => newestVersion(message, bounded), signal);
    } catch (error) {
      signal.throwIfAborted();
      log.warn("whether there is a newer version of a program is not known", {
        vmHash: message.itemHash,
        error,
      });
      return before;
    }
  }

  /** What was asked for before something was forgotten may be old already: the next request asks again. */
  #keep(vmHash: string, message: ProgramMessage, forgetsBefore: number): ProgramMessage {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    const freshMs = forgetsBefore === this.#forgets ? FRESH_MS : 0;
    this.#known.set(vmHash, { message, untilMs: this.#options.clock.monotonicMs() + freshMs });
    return message;
  }
}

/** Statuses of messages that are in force: a removal that was announced has a grace of its own. */
const IN_FORCE = new Set(["processed", "removing"]);

function unfitness(
  message: VmMessage | null,
  vmHash: string,
  purpose: "http" | "event" | null,
): FunctionError | null {
  if (message === null) return new FunctionError(500, `Item hash ${vmHash} not found`);
  if (message.type !== "PROGRAM") {
    return new FunctionError(404, `${vmHash} is an instance: only programs are called`);
  }
  if (!IN_FORCE.has(message.status)) {
    return new FunctionError(404, `The message ${vmHash} is ${message.status}: its program is not run`);
  }
  if (purpose !== "http" || message.content.on.http) return null;
  return new FunctionError(404, `The program ${vmHash} does not serve HTTP: its message says on.http false`);
}
