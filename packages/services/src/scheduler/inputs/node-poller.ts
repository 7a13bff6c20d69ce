import {
  isAbortOf,
  type Logger,
  PlatformError,
  type Random,
  Semaphore,
  type Timers,
} from "@twentysix/platform";
import { SchedulerError } from "../errors.ts";
import { jsonOfOk, type NodeAnswer, type NodeClient } from "../http/node-client.ts";
import type { SchedulerSettings } from "../settings.ts";
import type { Liveness } from "../state/liveness.ts";
import type { SchedulerStore } from "../state/store.ts";
import { type Observations, readExecutionsList } from "./executions-list.ts";
import { at } from "./json-reading.ts";
import { readNodeCapabilities, readNodeReport } from "./node-report.ts";
import type { ObservationIntake } from "./observation-intake.ts";

export interface NodePollerOptions {
  readonly store: SchedulerStore;
  readonly liveness: Liveness;
  readonly intake: Pick<ObservationIntake, "listed" | "reported" | "capable" | "takesPlans" | "failed">;
  readonly client: Pick<NodeClient, "call">;
  readonly settings: SchedulerSettings;
  readonly timers: Timers;
  readonly random: Random;
  readonly nowMs: () => number;
  readonly log: Logger;
  /** Something is decided anew. */
  readonly onChange: () => void;
  /** A node is given up. */
  readonly onSilent: (nodeHash: string) => void;
  /** A node that was silent answers again: it may not know any more, or not yet, what it is to run. */
  readonly onBack: (nodeHash: string) => void;
}

interface PollState {
  dueMs: number;
  reportDueMs: number;
  capabilitiesDueMs: number;
  isRunning: boolean;
  /** Was asked once, with whatever outcome. */
  isTried: boolean;
  /** Which list it has. */
  version: 1 | 2;
}

const TICK_MS = 250;
/** A node that did not answer is asked again so soon: it may only have been one packet. */
const RETRY_MS = 2_000;
/** A node that failed so often in a row is asked more seldom. */
const QUICK_FAILURES = 3;
/** Of the polls at once, for nodes that run nothing, or do not answer: anybody may register as many as they like. */
const SHARE_OF_OTHERS = 0.25;

/**
 * Asks each node again and again which machines it has, and less often what it can take.
 *
 * A question is signed, and so lets the node go on running what it has, only while the node answered the last one:
 * what may have reached a node that is silent since is so known, and with it when its machines have ended.
 */
export class NodePoller {
  readonly #options: NodePollerOptions;
  readonly #states = new Map<string, PollState>();
  /** Of nodes whose machines end when they are not asked. */
  readonly #permits: Semaphore;
  readonly #permitsOfOthers: Semaphore;
  #isComplete = false;

  constructor(options: NodePollerOptions) {
    this.#options = options;
    const { maxPolls } = options.settings;
    const others = Math.max(1, Math.floor(maxPolls * SHARE_OF_OTHERS));
    this.#permits = new Semaphore({ permits: Math.max(1, maxPolls - others), maxWaiters: 1 });
    this.#permitsOfOthers = new Semaphore({ permits: others, maxWaiters: 1 });
  }

  /** Every node that took machines at the beginning was asked once; those that come later hold up nothing. */
  get isComplete(): boolean {
    this.#isComplete ||= [...this.#options.store.nodes.values()].every(
      ({ registration: { nodeHash, isLinked, address } }) =>
        !isLinked || address === null || this.#states.get(nodeHash)?.isTried === true,
    );
    return this.#isComplete;
  }

  /** Asks a node soon again: something was sent to it. */
  hasten(nodeHash: string, delayMs: number): void {
    const state = this.#states.get(nodeHash);
    if (state !== undefined) state.dueMs = Math.min(state.dueMs, this.#options.nowMs() + delayMs);
  }

  /** Runs until the signal aborts. Rejects with what no poll should meet. */
  async run(signal: AbortSignal): Promise<void> {
    const running = new Set<Promise<void>>();
    const defects: unknown[] = [];
    while (!signal.aborted) {
      this.#forget();
      const used = new Set([...this.#options.store.vms.values()].map(({ allocatedNode }) => allocatedNode));
      for (const nodeHash of this.#dueNodes(used)) {
        const permit = this.#permitsFor(nodeHash, used).tryAcquire();
        if (permit === undefined) continue;
        const polled = this.#poll(nodeHash, signal)
          .catch((error: unknown) => void defects.push(error))
          .finally(() => {
            permit.release();
            running.delete(polled);
          });
        running.add(polled);
      }
      await this.#options.timers.sleep(TICK_MS, signal).catch(() => undefined);
      if (defects.length > 0) throw defects[0];
    }
    await Promise.all(running);
  }

  /** What is no node any more. */
  #forget(): void {
    const { store, liveness } = this.#options;
    if (this.#states.size <= store.nodes.size) return;
    for (const [nodeHash, { isRunning }] of this.#states) {
      if (isRunning || store.nodes.has(nodeHash)) continue;
      this.#states.delete(nodeHash);
      liveness.forget(nodeHash);
    }
  }

  #dueNodes(used: ReadonlySet<string | null>): readonly string[] {
    const { store, nowMs } = this.#options;
    const due = [...store.nodes.values()].flatMap((node) => {
      const { nodeHash, address } = node.registration;
      // What left the registry is asked as long as it may have machines.
      const isOfInterest =
        node.isRegistered || used.has(nodeHash) || Object.keys(node.observations).length > 0;
      if (address === null || !isOfInterest) return [];
      const state = this.#stateOf(nodeHash);
      return state.isRunning || state.dueMs > nowMs() ? [] : [{ nodeHash, dueMs: state.dueMs }];
    });
    return due.sort((a, b) => a.dueMs - b.dueMs).map(({ nodeHash }) => nodeHash);
  }

  #permitsFor(nodeHash: string, used: ReadonlySet<string | null>): Semaphore {
    const { store, liveness } = this.#options;
    const isUsable = used.has(nodeHash) || store.nodes.get(nodeHash)?.registration.isLinked === true;
    const isAnswering = liveness.of(nodeHash).failures <= QUICK_FAILURES;
    return isUsable && isAnswering ? this.#permits : this.#permitsOfOthers;
  }

  #stateOf(nodeHash: string): PollState {
    const known = this.#states.get(nodeHash);
    if (known !== undefined) return known;
    const state: PollState = {
      dueMs: 0,
      reportDueMs: 0,
      capabilitiesDueMs: 0,
      isRunning: false,
      isTried: false,
      version: 2,
    };
    this.#states.set(nodeHash, state);
    return state;
  }

  async #poll(nodeHash: string, signal: AbortSignal): Promise<void> {
    const { nowMs, settings, intake, onChange, onBack, log, liveness } = this.#options;
    const state = this.#stateOf(nodeHash);
    state.isRunning = true;
    try {
      const wasSilent = liveness.of(nodeHash).failures > 0;
      const hasChanged = await this.#ask(nodeHash, state, signal);
      state.dueMs = wasSilent ? nowMs() : nowMs() + settings.heartbeatPeriodMs;
      if (hasChanged) onChange();
      if (wasSilent) onBack(nodeHash);
    } catch (error) {
      if (isAbortOf(signal, error)) return;
      if (!(error instanceof SchedulerError || error instanceof PlatformError)) throw error;
      log.debug("a node was asked in vain", { nodeHash, error });
      // Its next answer may come from a node that was restarted.
      state.capabilitiesDueMs = 0;
      const isGivenUp = intake.failed(nodeHash);
      if (isGivenUp) log.warn("a node does not answer any more", { nodeHash, error });
      const isLong = liveness.of(nodeHash).failures > QUICK_FAILURES;
      state.dueMs =
        nowMs() + (isLong ? settings.heartbeatPeriodMs : Math.min(RETRY_MS, settings.heartbeatPeriodMs));
      if (isGivenUp) {
        this.#options.onSilent(nodeHash);
        onChange();
      }
    } finally {
      state.isTried = true;
      state.isRunning = false;
    }
  }

  async #ask(nodeHash: string, state: PollState, signal: AbortSignal): Promise<boolean> {
    const { intake, settings, nowMs } = this.#options;
    let hasChanged = false;
    if (state.capabilitiesDueMs <= nowMs()) {
      const answer = await this.#get(nodeHash, "/status/config", signal);
      hasChanged = intake.capable(nodeHash, readNodeCapabilities(jsonOfOk(answer, "configuration")));
      await this.#findRoute(nodeHash, signal);
      state.capabilitiesDueMs = nowMs() + settings.capabilitiesPeriodMs;
    }
    const list = readExecutionsList(jsonOfOk(await this.#list(nodeHash, state, signal), "list"));
    if (list === null)
      throw new SchedulerError("SCHEDULER_BAD_ANSWER", "the node's list of machines is no object");
    // Sizes are taken in first: a node whose list is known counts as one that can be used. They are asked for after it:
    // what is new in the list takes room, which they must not promise once more.
    if (state.reportDueMs <= nowMs() || this.#hasNew(nodeHash, list)) {
      const answer = await this.#get(nodeHash, "/about/usage/system", signal);
      hasChanged = intake.reported(nodeHash, readNodeReport(jsonOfOk(answer, "usage"))) || hasChanged;
      state.reportDueMs = nowMs() + settings.reportPeriodMs;
    }
    return intake.listed(nodeHash, list) || hasChanged;
  }

  #hasNew(nodeHash: string, list: Observations): boolean {
    const known = this.#options.store.nodes.get(nodeHash)?.observations ?? {};
    return Object.keys(list).some((vmHash) => !Object.hasOwn(known, vmHash));
  }

  /** A node that answers for its plan takes lists on the newer route: it says at once what it will do. */
  async #findRoute(nodeHash: string, signal: AbortSignal): Promise<void> {
    const { status, json } = await this.#get(nodeHash, "/v2/control/allocations", signal);
    if (status === 200 && Array.isArray(at(json, "vms"))) this.#options.intake.takesPlans(nodeHash);
  }

  async #list(nodeHash: string, state: PollState, signal: AbortSignal): Promise<NodeAnswer> {
    if (state.version === 2) {
      const answer = await this.#get(nodeHash, "/v2/about/executions/list", signal);
      if (answer.status !== 404 && answer.status !== 405) return answer;
    }
    const answer = await this.#get(nodeHash, "/about/executions/list", signal);
    // It may learn the newer list with its next version.
    state.version = answer.status === 200 && state.capabilitiesDueMs > 0 ? 1 : 2;
    return answer;
  }

  #get(nodeHash: string, route: string, signal: AbortSignal): Promise<NodeAnswer> {
    const { client, store, settings, liveness } = this.#options;
    const address = store.nodes.get(nodeHash)?.registration.address ?? null;
    if (address === null)
      throw new SchedulerError("SCHEDULER_UNREACHABLE", "the node has no address any more");
    const isSigned = liveness.of(nodeHash).failures === 0;
    // The first answer of a node may take its time; later ones are also its signs of life.
    const isFirst = store.nodes.get(nodeHash)?.isPolled !== true;
    const timeoutMs = isFirst ? settings.pollTimeoutMs : settings.heartbeatTimeoutMs;
    return client.call({ nodeHash, address, method: "GET", route, isSigned, timeoutMs, signal });
  }
}
