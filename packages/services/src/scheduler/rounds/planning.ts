import type { Logger, Timers } from "@twentysix/platform";
import { chooseNode } from "../planner/choice.ts";
import { explainVm, simulatePlacement } from "../planner/explain.ts";
import { makePlan, roomsOf } from "../planner/plan.ts";
import type { Plan, PlanInput, PlanVm } from "../planner/plan-input.ts";
import type { Rooms } from "../planner/rooms.ts";
import type { SchedulerSettings } from "../settings.ts";
import type { DecisionLog } from "../state/decision-log.ts";
import type { SchedulerStore } from "../state/store.ts";
import { Wakeup } from "../wakeup.ts";
import { applyPlan, type PlanOutcome } from "./apply-plan.ts";
import { type PlanInputSources, planInputOf } from "./plan-input-of.ts";

export interface PlanningOptions {
  readonly sources: PlanInputSources;
  readonly store: SchedulerStore;
  readonly decisions: DecisionLog;
  readonly settings: SchedulerSettings;
  readonly timers: Timers;
  readonly nowMs: () => number;
  readonly log: Logger;
  /** Whether this scheduler decides, and has all that it decides on. */
  readonly mayDecide: () => boolean;
  /** Asked before each round. */
  readonly beforeRound: (signal: AbortSignal) => Promise<void>;
  readonly afterRound: (outcome: PlanOutcome, atMs: number) => void;
}

/** While something waits for time to pass. */
const WATCHFUL_PERIOD_MS = 1_000;
const WAIT_FOR_INPUTS_MS = 250;
/** So much longer than a round is the pause after it; of short ones it does not count. */
const REST_SHARE = 3;
const MIN_REST_MS = 300;

/** Strangers may ask as often as they like: what they are told is so old at most. */
const MOMENT_MS = 1_000;

/** What is made for questions, once for all of a moment. */
interface Moment {
  readonly input: PlanInput;
  readonly rooms: Rooms;
  plan: Plan | null;
}

/** Makes plans: soon after anything changed, and again and again without. */
export class Planning {
  readonly #options: PlanningOptions;
  readonly #wakeup: Wakeup;
  #moment: Moment | null = null;

  constructor(options: PlanningOptions) {
    this.#options = options;
    this.#wakeup = new Wakeup(options.timers);
  }

  /** Something changed that is decided on. */
  request(): void {
    this.#wakeup.wake();
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { settings, timers, mayDecide } = this.#options;
    let periodMs = 0;
    while (!signal.aborted) {
      const cause = await this.#wakeup.wait(periodMs, signal);
      if (signal.aborted) return;
      if (!mayDecide()) {
        periodMs = WAIT_FOR_INPUTS_MS;
        continue;
      }
      if (cause === "woken") await timers.sleep(settings.coalesceMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      const begunMs = this.#options.nowMs();
      periodMs = (await this.#round(signal)) ? WATCHFUL_PERIOD_MS : settings.roundPeriodMs;
      // With very many machines rounds are slow; nodes have to be spoken to in between.
      const restMs = (this.#options.nowMs() - begunMs) * REST_SHARE;
      if (restMs >= MIN_REST_MS) await timers.sleep(restMs, signal).catch(() => undefined);
    }
  }

  /** What a round would look at now. */
  input(): PlanInput {
    return planInputOf(this.#options.sources, this.#options.nowMs());
  }

  explain(vmHash: string): ReturnType<typeof explainVm> {
    const moment = this.#now();
    moment.plan ??= makePlan(moment.input);
    return explainVm(moment.input, vmHash, moment.plan);
  }

  simulate(vm: PlanVm): ReturnType<typeof simulatePlacement> {
    const { input, rooms } = this.#now();
    return simulatePlacement(input, vm, rooms);
  }

  #now(): Moment {
    const known = this.#moment;
    if (known !== null && Math.abs(this.#options.nowMs() - known.input.nowMs) < MOMENT_MS) return known;
    const input = this.input();
    this.#moment = { input, rooms: roomsOf(input, input.nodes, input.vms), plan: null };
    return this.#moment;
  }

  /** Another node for a machine that cannot go to those; null: there is none. */
  targetFor(vmHash: string, except: readonly string[]): string | null {
    const input = this.input();
    const vm = input.vms.find(({ facts }) => facts.vmHash === vmHash);
    if (vm === undefined) return null;
    const others = input.vms.filter((other) => other !== vm);
    return chooseNode(vm, roomsOf(input, input.nodes, others), input, except).nodeHash;
  }

  async #round(signal: AbortSignal): Promise<boolean> {
    const { store, decisions, nowMs, beforeRound, afterRound, mayDecide, log, settings } = this.#options;
    await beforeRound(signal);
    // Another scheduler may have taken over while others were asked.
    if (!mayDecide()) return true;
    const input = planInputOf(this.#options.sources, nowMs());
    const plan = makePlan(input);
    const outcome = applyPlan(store, plan, input.nowMs);
    // In a dry run migrations are wanted again in each round.
    if (outcome.changes > 0 || (outcome.migrations.length > 0 && !settings.isDryRun)) {
      const round = decisions.add(input, plan, outcome.changes);
      log.info("decided where machines run", { round: round.id, changes: outcome.changes });
    }
    afterRound(outcome, input.nowMs);
    return isWatchful(input);
  }
}

/** Something will change by time alone. */
function isWatchful({ vms, nodes }: PlanInput): boolean {
  const calm = new Set(
    nodes
      .filter(
        ({ status, unlinkedSinceMs, isDrained }) =>
          status === "Healthy" && unlinkedSinceMs === null && !isDrained,
      )
      .map(({ registration }) => registration.nodeHash),
  );
  return vms.some(
    (vm) =>
      vm.refusals.length > 0 ||
      vm.missing !== null ||
      vm.migrationTarget !== null ||
      (vm.allocatedNode !== null && !calm.has(vm.allocatedNode)),
  );
}
