import { type Clock, raceAbort, type Timers } from "@twentysix/platform";
import type { Execution } from "../../executions/execution.ts";
import type { Executions } from "../../executions/executions.ts";
import type { VmMessage } from "../../messages/core-node-client.ts";
import type { FunctionObserver } from "../function-observer.ts";
import type { ProgramGuest, ProgramGuests } from "../guests/program-guest.ts";
import type { ProgramMessages } from "../life-cycle/program-messages.ts";
import type { FunctionSettings } from "../settings.ts";
import type { ColdStarts } from "./cold-start-limits.ts";
import { FunctionError, startFailure } from "./function-error.ts";

export type ProgramMessage = Extract<VmMessage, { readonly type: "PROGRAM" }>;

/** A program that serves. */
export interface ReadyProgram {
  readonly execution: Execution;
  readonly guest: ProgramGuest;
}

export interface StartRequest {
  readonly vmHash: string;
  /** Who is charged for a cold start; null: nobody (a message started it). */
  readonly client: string | null;
  readonly source: Execution["source"];
}

export interface ProgramStarterOptions {
  readonly executions: Pick<Executions, "get" | "running" | "ensureRunning">;
  readonly messages: ProgramMessages;
  readonly guests: ProgramGuests;
  readonly coldStarts: ColdStarts;
  readonly settings: Pick<FunctionSettings, "failureMemoryMs" | "startTimeoutMs">;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Pick<Timers, "withTimeout">;
  /** Ends what is under way when the node stops. */
  readonly signal: AbortSignal;
  readonly observer?: Pick<FunctionObserver, "coldStarted"> | undefined;
}

interface Failure {
  readonly error: FunctionError;
  readonly untilMs: number;
}

const MAX_FAILURES = 1_000;

/** Brings programs to where they serve; all who want the same one wait for one start. */
export class ProgramStarter {
  readonly #options: ProgramStarterOptions;
  readonly #starts = new Map<string, Promise<ReadyProgram>>();
  readonly #failures = new Map<string, Failure>();

  constructor(options: ProgramStarterOptions) {
    this.#options = options;
  }

  /**
   * The program, started where it does not serve. Who leaves does not end a start that others may wait for.
   *
   * @throws FunctionError; the signal's reason
   */
  async ready(request: StartRequest, signal: AbortSignal): Promise<ReadyProgram> {
    const { vmHash } = request;
    const serving = this.#serving(this.#options.messages.versionOf(vmHash));
    if (serving !== null) {
      this.#options.messages.refresh(vmHash);
      return serving;
    }
    const failure = this.#failures.get(vmHash);
    if (failure !== undefined && failure.untilMs > this.#options.clock.monotonicMs()) throw failure.error;
    this.#failures.delete(vmHash);
    let start = this.#starts.get(vmHash);
    if (start === undefined) {
      if (request.client !== null) this.#options.coldStarts.charge(request.client);
      start = this.#start(request).finally(() => this.#starts.delete(vmHash));
      this.#starts.set(vmHash, start);
      start.catch((error) => this.#remember(vmHash, error));
    }
    return await raceAbort(start, signal);
  }

  #serving(vmHash: string): ReadyProgram | null {
    const execution = this.#options.executions.get(vmHash);
    const guest = this.#options.guests.get(vmHash);
    if (execution === null || guest === null || guest.isLost) return null;
    return execution.state === "running" ? { execution, guest } : null;
  }

  async #start({ vmHash, source }: StartRequest): Promise<ReadyProgram> {
    const { timers, settings, signal: closing, executions, coldStarts, guests, messages } = this.#options;
    const { clock, observer } = this.#options;
    const startedMs = clock.monotonicMs();
    try {
      const ready = await timers.withTimeout(
        settings.startTimeoutMs,
        async (signal) => {
          const message = await messages.program(vmHash, source === "trigger" ? "event" : "http", signal);
          using _turn = await coldStarts.acquire(signal);
          // One that is kept alive here already stays so: a visit keeps nothing alive.
          const asked = { source, isPersistent: false };
          const execution = await executions.ensureRunning(message, asked, signal);
          const guest = guests.get(message.itemHash);
          if (guest === null) throw new Error(`${message.itemHash} runs, and its guest is not known`);
          return { execution, guest };
        },
        closing,
      );
      observer?.coldStarted((clock.monotonicMs() - startedMs) / 1_000);
      return ready;
    } catch (error) {
      throw startFailure(error);
    }
  }

  #remember(vmHash: string, error: unknown): void {
    if (!(error instanceof FunctionError) || error.status === 429) return;
    if (this.#failures.size >= MAX_FAILURES) this.#failures.clear();
    const untilMs = this.#options.clock.monotonicMs() + this.#options.settings.failureMemoryMs;
    this.#failures.set(vmHash, { error, untilMs });
  }
}
