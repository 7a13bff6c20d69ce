import { ExecutionError } from "./errors.ts";
import type { ExecutionStore } from "./execution-store.ts";
import type { HeldMachine } from "./executions.ts";
import type { LifeCycle } from "./life-cycle.ts";
import type { Restarts } from "./restarts.ts";

interface HoldParts {
  readonly store: ExecutionStore;
  readonly lifeCycle: LifeCycle;
  readonly restarts: Restarts;
}

/** The handle of one piece of exclusive work; useless after `end`. */
export function createHeldMachine(
  vmHash: string,
  { store, lifeCycle, restarts }: HoldParts,
  signal: AbortSignal,
): { readonly machine: HeldMachine; end(): void } {
  let hasEnded = false;
  const assertHeld = (): void => {
    if (hasEnded)
      throw new ExecutionError("INVALID_STATE", `the work on machine ${vmHash} has ended already`);
  };
  const machine: HeldMachine = {
    signal,
    execution() {
      assertHeld();
      return store.require(vmHash);
    },
    vm() {
      assertHeld();
      return lifeCycle.vms.get(vmHash) ?? null;
    },
    async stop(stopping) {
      assertHeld();
      await lifeCycle.bringDown(vmHash, null, AbortSignal.any([signal, stopping]));
    },
    async start(starting) {
      assertHeld();
      const { state } = store.require(vmHash);
      if (state === "running") return;
      if (state === "exporting") store.transition(vmHash, "stopped");
      await lifeCycle.bringUp(vmHash, AbortSignal.any([signal, starting]));
    },
    async mark(state, reason) {
      assertHeld();
      if (store.require(vmHash).state === state) store.change(vmHash, { reason });
      else store.transition(vmHash, state, { reason });
    },
    async setMode(mode) {
      assertHeld();
      store.change(vmHash, { mode });
    },
    async erase(reason, erasing) {
      assertHeld();
      await restarts.erase(vmHash, reason, AbortSignal.any([signal, erasing]));
    },
  };
  const end = (): void => {
    hasEnded = true;
  };
  return { machine, end };
}
