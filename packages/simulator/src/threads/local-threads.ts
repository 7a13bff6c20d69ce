import {
  runReader,
  runVerifier,
  runWriter,
  type Thread,
  type ThreadPlace,
  type ThreadPort,
  type Threads,
} from "@twentysix/core-node/simulated";
import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import { between } from "../random-for.ts";
import { LocalPort } from "./local-port.ts";

export interface LocalThreadsOptions {
  readonly clock: Clock;
  /** Of the process: nothing arrives any more once it has ended. */
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  /** Told of every message between two threads. */
  readonly onMessage: (line: string) => void;
}

/** How long a message is on its way between two threads. */
const MIN_DELAY_MS = 0.02;
const MAX_DELAY_MS = 0.8;

/** The threads of a node as parts of this one: the same code, and messages that take their time. */
export function localThreads(options: LocalThreadsOptions): Threads {
  const threads = new LocalThreads(options);
  return {
    verifiedChannel: () => {
      const { near, far } = threads.channel(options.log);
      return {
        verifier: near,
        writer: far as unknown as ThreadPort<never, never>,
      };
    },
    startWriter: (data) => threads.start("writer", (place) => runWriter(data, place)),
    startVerifier: (data) => threads.start("verifier", async (place) => runVerifier(data, place)),
    startReader: (data) => threads.start("reader", async (place) => runReader(data, place)),
  };
}

class LocalThreads {
  readonly #options: LocalThreadsOptions;

  constructor(options: LocalThreadsOptions) {
    this.#options = options;
  }

  start<Sent, Received>(
    name: string,
    run: (place: ThreadPlace<Received, Sent>) => Promise<void>,
  ): Thread<Sent, Received> {
    const { clock, timers, random, log, onMessage } = this.#options;
    const listeners: ((error: unknown) => void)[] = [];
    const fail = (error: unknown): void => {
      for (const listener of listeners) listener(error);
    };
    const { near, far } = this.#channel(log, fail);
    const place: ThreadPlace<Received, Sent> = {
      main: {
        postMessage: (message, transfer) => {
          onMessage(`from the ${name}: ${kindOf(message)}`);
          far.postMessage(message, transfer);
        },
        on: (_event, listener) => far.on("message", listener as (message: unknown) => void),
        close: () => far.close(),
      },
      // What is delivered here is listened to; nothing waits beside.
      receive: () => undefined,
      ...{ clock, timers, random },
      log: log.child({ thread: name }),
    };
    timers.schedule(this.#delayMs(), () => void run(place).catch(fail));
    return {
      postMessage: (message) => {
        onMessage(`to the ${name}: ${kindOf(message)}`);
        near.postMessage(message);
      },
      on: (event: "message" | "error" | "exit", listener: (value: never) => void) => {
        if (event === "message") near.on("message", listener as (value: unknown) => void);
        if (event === "error") listeners.push(listener as (value: unknown) => void);
      },
      removeAllListeners: () => {
        listeners.length = 0;
        near.close();
      },
      terminate: async () => {
        near.close();
        far.close();
        return 0;
      },
    };
  }

  channel(log: Logger): { readonly near: LocalPort; readonly far: LocalPort } {
    return this.#channel(log, (error) => log.fatal("A thread failed", { error }));
  }

  /** @param onFailure told of what throws at the far end; at the near one it is a defect of the node */
  #channel(log: Logger, onFailure: (error: unknown) => void): { near: LocalPort; far: LocalPort } {
    const near = new LocalPort(this.#inOrder(), (error) => log.fatal("The main thread failed", { error }));
    const far = new LocalPort(this.#inOrder(), onFailure);
    LocalPort.connect(near, far);
    return { near, far };
  }

  /** Delays that never let one message overtake another. */
  #inOrder(): (arrive: () => void) => void {
    const { clock, timers } = this.#options;
    let lastMs = 0;
    return (arrive) => {
      const nowMs = clock.monotonicMs();
      lastMs = Math.max(lastMs, nowMs + this.#delayMs());
      timers.schedule(lastMs - nowMs, arrive);
    };
  }

  #delayMs(): number {
    return between(this.#options.random, MIN_DELAY_MS, MAX_DELAY_MS);
  }
}

function kindOf(message: unknown): string {
  const isNamed = typeof message === "object" && message !== null && "kind" in message;
  return isNamed ? String(message.kind) : "";
}
