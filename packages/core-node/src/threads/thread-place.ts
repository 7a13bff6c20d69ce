import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import type { ThreadPort } from "./threads.ts";

/** What the code of a thread finds around it. */
export interface ThreadPlace<Sent, Received> {
  /** To the thread that started this one. */
  readonly main: ThreadPort<Sent, Received>;
  /** Takes a message that has arrived at a port before its turn; undefined when there is none. */
  readonly receive: <T>(port: ThreadPort<never, T>) => T | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}
