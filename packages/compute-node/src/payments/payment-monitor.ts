import { isAbortOf, type Logger, Semaphore, type Timers } from "@twentysix/platform";
import type { PaymentSettings } from "../compute-settings.ts";
import { ExecutionError } from "../executions/errors.ts";
import type { Execution } from "../executions/execution.ts";
import type { ExecutionStore } from "../executions/execution-store.ts";
import type { Executions } from "../executions/executions.ts";
import type { CoreNodeClient } from "../messages/core-node-client.ts";
import { attoOf, attoOfCredits, isSpecial, type PaymentTerms, paymentTermsOf } from "./payment-terms.ts";
import { type CommunityShare, STREAM_BUFFER_ATTO, type StreamReader, streamDues } from "./streams.ts";
import { Strikes } from "./strikes.ts";

export interface PaymentMonitorParts {
  readonly executions: Executions;
  readonly store: Pick<ExecutionStore, "reason">;
  readonly coreNodes: Pick<
    CoreNodeClient,
    "statuses" | "allPrices" | "balances" | "vmMessage" | "neededAnswers"
  >;
  readonly streams: StreamReader;
  readonly community: (signal: AbortSignal) => Promise<CommunityShare | null>;
  readonly receiverAddress: string | null;
  /** Whether this node has proof that it is still the one to run a machine. */
  readonly hasContact: (execution: Execution) => boolean;
  readonly settings: PaymentSettings;
  readonly timers: Timers;
  readonly nowMs: () => number;
  readonly log: Logger;
}

interface PaidMachine extends Pick<Execution, "vmHash" | "content"> {
  readonly times: Pick<Execution["times"], "startedAtMs">;
}

export interface PaymentFigures {
  /** With a strike at least, now. */
  readonly shortPayers: number;
  readonly goneMessages: number;
  /** Since the start. */
  readonly stops: number;
  readonly failedChecks: number;
}

const GONE_STATUSES: ReadonlySet<string> = new Set(["rejected", "forgotten", "removed"]);
/** Core nodes are asked so many questions at once. */
const CHECKS_AT_ONCE = 8;
/** A machine that was stopped for lack of credits starts again when there are enough for so long. */
const RESUME_SECONDS = 3_600n;

/**
 * Stops what is no longer paid, or no longer published: after several rounds in a row that say so, at several core nodes,
 * the newest machine of a payer first, and with its disks kept. Source: aleph-vm `orchestrator/tasks.py`.
 */
export class PaymentMonitor {
  readonly #parts: PaymentMonitorParts;
  readonly #gone: Strikes;
  readonly #short: Strikes;
  #stops = 0;
  #failedChecks = 0;

  constructor(parts: PaymentMonitorParts) {
    this.#parts = parts;
    this.#gone = new Strikes(parts.settings.strikes);
    this.#short = new Strikes(parts.settings.strikes);
  }

  figures(): PaymentFigures {
    const counts = { stops: this.#stops, failedChecks: this.#failedChecks };
    return { ...counts, shortPayers: this.#short.size, goneMessages: this.#gone.size };
  }

  /** Ends with the signal. */
  run(signal: AbortSignal): Promise<void> {
    const { timers, settings, log } = this.#parts;
    const onError = (error: unknown): void => log.error("the check of payments failed", { error });
    return timers.every(settings.monitorPeriodMs, () => this.round(signal), { signal, onError });
  }

  /** One round over everything. */
  async round(signal: AbortSignal): Promise<void> {
    const machines = new Map(this.#parts.executions.list().map((machine) => [machine.vmHash, machine]));
    this.#gone.keep(new Set(machines.keys()));
    await this.#guarded(machines, signal, (_vmHash, machine) => this.#checkMessage(machine, signal));
    const groups = groupsOf(this.#parts.executions.list());
    this.#short.keep(new Set(groups.keys()));
    await this.#guarded(groups, signal, (key, group) => this.#checkGroup(key, group, signal));
  }

  /** What cannot be found out stops nothing; a core node that is silent does not hold up the checks of all others. */
  async #guarded<Item>(
    items: ReadonlyMap<string, Item>,
    signal: AbortSignal,
    check: (name: string, item: Item) => Promise<void>,
  ): Promise<void> {
    const turns = new Semaphore({ permits: CHECKS_AT_ONCE, maxWaiters: Number.MAX_SAFE_INTEGER });
    const guarded = async ([what, item]: readonly [string, Item]): Promise<void> => {
      try {
        await turns.run(() => check(what, item), signal);
      } catch (error) {
        if (isAbortOf(signal, error) || signal.aborted) throw error;
        this.#failedChecks += 1;
        this.#parts.log.warn("payments could not be checked; nothing is stopped for that", { what, error });
      }
    };
    await Promise.all([...items].map(guarded));
  }

  async #checkMessage({ vmHash }: Execution, signal: AbortSignal): Promise<void> {
    const { coreNodes, executions, store, log } = this.#parts;
    const statuses = await coreNodes.statuses(vmHash, signal);
    if (statuses.length === 0) return;
    const isGone =
      statuses.length >= this.#parts.coreNodes.neededAnswers &&
      statuses.every((status) => GONE_STATUSES.has(status));
    if (!isGone) {
      this.#gone.clear(vmHash);
      return;
    }
    const isOut = this.#gone.strike(vmHash);
    log.warn("core nodes say that the message of a machine is gone", { vmHash, statuses, isOut });
    if (!isOut || executions.get(vmHash) === null) return;
    if (statuses.every((status) => status === "forgotten")) {
      const text = "its owner has forgotten the message of the machine";
      await executions.erase(vmHash, store.reason("MESSAGE_FORGOTTEN", text), signal);
      this.#stops += 1;
      return;
    }
    const text = `its message is ${statuses[0]}: pay for it and publish it again; the disks are kept for a time`;
    await executions.stop(vmHash, store.reason("MESSAGE_REMOVED", text), signal);
    this.#stops += 1;
  }

  async #checkGroup(key: string, group: readonly Execution[], signal: AbortSignal): Promise<void> {
    const running = group.filter(({ state }) => state === "running");
    const seconds = BigInt(Math.ceil(this.#parts.settings.monitorPeriodMs / 1_000));
    const covered = await this.#coveredCount(running, seconds, signal);
    if (covered === null) return;
    if (covered >= running.length) {
      this.#short.clear(key);
      await this.#resume(group, signal);
      return;
    }
    const isOut = this.#short.strike(key);
    const first = paymentTermsOf((running[0] as Execution).content);
    const facts = { payer: first.payer, type: first.type, machines: running.length, covered, isOut };
    this.#parts.log.warn("a payer cannot cover all machines here", facts);
    if (!isOut) return;
    const text = `${first.payer} can pay for ${covered} of ${running.length} machines here (${first.type}); the disks are kept`;
    // Newest first.
    const stops = running.slice(covered).reverse();
    let stopped = 0;
    for (const { vmHash } of stops) if (await this.#stop(vmHash, text, signal)) stopped += 1;
    // What something else is done to just now is tried again in the next round.
    if (stopped === stops.length) this.#short.clear(key);
  }

  async #stop(vmHash: string, text: string, signal: AbortSignal): Promise<boolean> {
    const { executions, store, log } = this.#parts;
    try {
      await executions.stop(vmHash, store.reason("PAYMENT_MISSING", text), signal);
      this.#stops += 1;
      return true;
    } catch (error) {
      if (!(error instanceof ExecutionError)) throw error;
      log.warn("a machine that is not paid could not be stopped yet", { vmHash, error });
      return false;
    }
  }

  /**
   * How many of the machines, oldest first, are paid; null: it cannot be told. Credits have to last so many seconds.
   */
  async #coveredCount(
    machines: readonly PaidMachine[],
    seconds: bigint,
    signal: AbortSignal,
  ): Promise<number | null> {
    const [first] = machines;
    if (first === undefined) return 0;
    const terms = paymentTermsOf(first.content);
    const costs = await Promise.all(
      machines.map(async ({ vmHash, times }) => {
        return { cost: await this.#cost(vmHash, signal), startedAtMs: times.startedAtMs };
      }),
    );
    if (terms.type === "superfluid") return this.#coveredByStream(costs, terms, signal);
    const funds = await this.#funds(terms, signal);
    if (funds === null) return null;
    const factor = terms.type === "credit" ? seconds : 1n;
    let sum = 0n;
    return countWhile(costs, ({ cost }) => {
      sum += attoOf(cost) * factor;
      return sum <= funds;
    });
  }

  /** The least that any core node says a machine costs. @throws CoreNodesError when too few answer */
  async #cost(vmHash: string, signal: AbortSignal): Promise<string> {
    const costs = (await this.#parts.coreNodes.allPrices(vmHash, signal)).map(({ cost }) => cost);
    return costs.reduce((least, cost) => (attoOf(cost) < attoOf(least) ? cost : least));
  }

  /** The most that any core node says the payer has; null: too few answer. */
  async #funds({ payer, type }: PaymentTerms, signal: AbortSignal): Promise<bigint | null> {
    const balances = await this.#parts.coreNodes.balances(payer, signal);
    if (balances.length < this.#parts.coreNodes.neededAnswers) return null;
    const amounts = balances.map(({ tokens, credits }) =>
      type === "credit" ? attoOfCredits(credits) : attoOf(tokens),
    );
    return amounts.toSorted((a, b) => (a < b ? 1 : -1))[0] ?? 0n;
  }

  async #coveredByStream(
    costs: readonly { readonly cost: string; readonly startedAtMs: number | null }[],
    { payer, chain }: PaymentTerms,
    signal: AbortSignal,
  ): Promise<number | null> {
    const { streams, receiverAddress, nowMs } = this.#parts;
    if (receiverAddress === null || !streams.chains.includes(chain)) return null;
    const community = await this.#parts.community(signal);
    const flow = await streams.flow(chain, payer, receiverAddress, signal);
    const shared = community === null ? 0n : await streams.flow(chain, payer, community.wallet, signal);
    return countWhile(costs, (_machine, index) => {
      const dues = streamDues(costs.slice(0, index + 1), community, nowMs());
      return flow + STREAM_BUFFER_ATTO > dues.nodeAtto && shared + STREAM_BUFFER_ATTO > dues.communityAtto;
    });
  }

  /** Machines that were stopped for lack of money start again, oldest first: each when there is enough for it too. */
  async #resume(group: readonly Execution[], signal: AbortSignal): Promise<void> {
    const stopped = group.find(
      ({ reason, state }) => state === "stopped" && reason?.code === "PAYMENT_MISSING",
    );
    if (stopped === undefined || !this.#parts.hasContact(stopped)) return;
    const { vmHash, content, source } = stopped;
    const starting = { vmHash, content, times: { startedAtMs: null } };
    const machines = [...group.filter(({ state }) => state === "running"), starting];
    const covered = await this.#coveredCount(machines, RESUME_SECONDS, signal);
    if (covered === null || covered < machines.length) return;
    const message = await this.#parts.coreNodes.vmMessage(vmHash, signal);
    if (message === null) return;
    await this.#parts.executions.ensureRunning(message, { source, isPersistent: true }, signal);
  }
}

/** Machines that are kept alive, by who pays how; of those held for, the network itself takes back all but some. */
function groupsOf(executions: readonly Execution[]): ReadonlyMap<string, readonly Execution[]> {
  const groups = new Map<string, Execution[]>();
  for (const execution of executions) {
    const { type, chain, payer } = paymentTermsOf(execution.content);
    if (!execution.isPersistent || (type === "hold" && !isSpecial(execution.content))) continue;
    const key = `${payer} ${chain} ${type}`;
    groups.set(key, [...(groups.get(key) ?? []), execution]);
  }
  return groups;
}

function countWhile<Item>(items: readonly Item[], holds: (item: Item, index: number) => boolean): number {
  const end = items.findIndex((item, index) => !holds(item, index));
  return end < 0 ? items.length : end;
}
