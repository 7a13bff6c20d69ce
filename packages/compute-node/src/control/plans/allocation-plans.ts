import { randomUUID } from "node:crypto";
import { isAbortOf, type Logger, Semaphore } from "@twentysix/platform";
import type { AllocationSettings } from "../../compute-settings.ts";
import { ExecutionError } from "../../executions/errors.ts";
import type { Execution } from "../../executions/execution.ts";
import type { ExecutionStore } from "../../executions/execution-store.ts";
import type { Executions } from "../../executions/executions.ts";
import type { Fences } from "../../executions/fences.ts";
import { HELD_BY_OWNER } from "../../executions/held-by-owner.ts";
import type { CoreNodeClient, VmMessage } from "../../messages/core-node-client.ts";
import { isSpecial, paymentTermsOf } from "../../payments/payment-terms.ts";
import { ControlError } from "../errors.ts";
import type { WantedMachines } from "./wanted-machines.ts";

export interface AllocationPlansParts {
  readonly executions: Executions;
  readonly store: Pick<ExecutionStore, "reason" | "fact" | "setFact">;
  readonly fences: Fences;
  readonly coreNodes: Pick<CoreNodeClient, "vmMessage">;
  readonly settings: AllocationSettings;
  readonly nowMs: () => number;
  readonly log: Logger;
  /** Ends work that goes on in the background. */
  readonly signal: AbortSignal;
}

export interface AllocationOutcome {
  readonly successful: readonly string[];
  readonly failing: readonly string[];
  readonly stopped: readonly string[];
  readonly errors: Readonly<Record<string, string>>;
  /** These will have ended here when the scheduler may start them elsewhere; for a scheduler that spoke of it. */
  readonly fenced?: readonly string[];
}

export interface PlanAnswer {
  /** Will be started. */
  readonly accepted: readonly string[];
  /** On their way already. */
  readonly pending: readonly string[];
  /** Run, or were stopped by their owner. */
  readonly unchanged: readonly string[];
  /** Will be stopped. */
  readonly removing: readonly string[];
  readonly rejected: readonly { readonly vm_hash: string; readonly reason: string }[];
  /** Not on the list, but not the scheduler's to stop. */
  readonly retained: readonly string[];
  /** These will have ended here when the scheduler may start them elsewhere; for a scheduler that spoke of it. */
  readonly fenced?: readonly string[];
  readonly plan_id: string;
}

const MAX_WAITING_PUSHES = 4;
const PLAN_FACT = "allocation-plan";
const ACTIVE: ReadonlySet<Execution["state"]> = new Set(["defined", "preparing", "prepared", "starting"]);

/**
 * What schedulers want to run here. The older way answers when all has been done; the newer one answers at once, and
 * while it governs the older one is refused. Source: aleph-vm `views/__init__.py` (update_allocations), pull request 1202.
 */
export class AllocationPlans {
  readonly #parts: AllocationPlansParts;
  readonly #pushes = new Semaphore({ permits: 1, maxWaiters: MAX_WAITING_PUSHES });

  constructor(parts: AllocationPlansParts) {
    this.#parts = parts;
  }

  /**
   * Stops what is not on the list, starts what is, and tells what became of each.
   *
   * @throws ControlError 409 while a newer plan governs, or for a list that drops too much
   */
  async apply(wanted: WantedMachines): Promise<AllocationOutcome> {
    return this.#pushes.run(async () => {
      if (this.#governingPlan() !== null) throw governed();
      const dropped = this.#dropped(wanted);
      const promised = this.#promise(wanted, dropped);
      const stopped = await this.#stopAll(dropped);
      // Programs first; the bound on parallel starts is that of the executions.
      const programs = await this.#startAll(wanted.programs);
      const instances = await this.#startAll(wanted.instances);
      const outcomes = [...programs, ...instances];
      const failures = outcomes.flatMap(({ vmHash, error }) => (error === null ? [] : [{ vmHash, error }]));
      return {
        successful: outcomes.filter(({ error }) => error === null).map(({ vmHash }) => vmHash),
        failing: failures.map(({ vmHash }) => vmHash),
        stopped,
        errors: Object.fromEntries(failures.map(({ vmHash, error }) => [vmHash, error])),
        ...promised,
      };
    });
  }

  /** Says what will be done, and does it in the background. The same list again changes nothing. */
  async accept(wanted: WantedMachines): Promise<PlanAnswer> {
    return this.#pushes.run(async () => {
      const { executions } = this.#parts;
      const dropped = this.#dropped(wanted);
      const promised = this.#promise(wanted, dropped);
      const planId = wanted.planId ?? randomUUID();
      const listed = [...wanted.programs, ...wanted.instances];
      const answer = { accepted: [] as string[], pending: [] as string[], unchanged: [] as string[] };
      const rejected: { vm_hash: string; reason: string }[] = [];
      for (const vmHash of listed) {
        const execution = executions.get(vmHash);
        if (execution !== null && isLeftAlone(execution)) answer.unchanged.push(vmHash);
        else if (execution !== null && ACTIVE.has(execution.state)) answer.pending.push(vmHash);
        else {
          const problem = await this.#messageProblem(vmHash);
          if (problem === null) answer.accepted.push(vmHash);
          else rejected.push({ vm_hash: vmHash, reason: problem });
        }
      }
      this.#govern(planId);
      const removing = dropped.map(({ vmHash }) => vmHash);
      const retained = this.#retained(wanted);
      this.#inBackground(dropped, answer.accepted);
      return { ...answer, removing, rejected, retained, ...promised, plan_id: planId };
    });
  }

  /** Every machine here as its scheduler may want to know it. */
  status(): object {
    const plan = this.#governingPlan();
    return {
      plan_id: plan?.planId ?? null,
      vms: this.#parts.executions.list().map(({ vmHash, state, desired, reason }) => ({
        vm_hash: vmHash,
        state,
        desired,
        reason: reason === null ? null : { code: reason.code, text: reason.text },
      })),
    };
  }

  #promise(
    { elsewhereAfterMs }: WantedMachines,
    dropped: readonly Execution[],
  ): { readonly fenced?: readonly string[] } {
    const ending = dropped.map(({ vmHash }) => vmHash);
    const fenced = this.#parts.fences.promise(elsewhereAfterMs ?? new Map(), ending);
    return elsewhereAfterMs === null ? {} : { fenced };
  }

  #inBackground(dropped: readonly Execution[], accepted: readonly string[]): void {
    const work = async (): Promise<void> => {
      await this.#stopAll(dropped);
      await this.#startAll(accepted);
    };
    work().catch((error: unknown) => {
      if (!isAbortOf(this.#parts.signal, error))
        this.#parts.log.error("a plan could not be followed", { error });
    });
  }

  /** Governed machines that the list does not name, and what it says has ended. @throws ControlError 409 */
  #dropped({ programs, instances, ended, meansMassDrop }: WantedMachines): readonly Execution[] {
    const listed = new Set([...programs, ...instances]);
    const gone = new Set(ended);
    const isOver = (execution: Execution): boolean =>
      gone.has(execution.vmHash) && !listed.has(execution.vmHash) && isOfScheduler(execution);
    const over = this.#parts.executions.list().filter(isOver);
    const governed = this.#parts.executions
      .list()
      .filter((execution) => isGoverned(execution) && !over.includes(execution));
    const dropped = governed.filter(({ vmHash }) => !listed.has(vmHash));
    const { maxDropped, maxDroppedShare } = this.#parts.settings;
    const allowed = Math.max(maxDropped, Math.floor(governed.length * maxDroppedShare));
    if (meansMassDrop || dropped.length <= allowed) return [...over, ...dropped];
    const text = `the list drops ${dropped.length} of ${governed.length} machines, and ${allowed} are allowed at once; send it with "allow_mass_drop": true if that is meant`;
    throw new ControlError(409, text, { success: false, code: "mass_drop_refused", message: text });
  }

  #retained({ programs, instances }: WantedMachines): readonly string[] {
    const listed = new Set([...programs, ...instances]);
    return this.#parts.executions
      .list()
      .filter((execution) => execution.isPersistent && execution.state === "running")
      .filter((execution) => !listed.has(execution.vmHash) && !isGoverned(execution))
      .map(({ vmHash }) => vmHash);
  }

  async #stopAll(dropped: readonly Execution[]): Promise<string[]> {
    const { executions, store, signal, log } = this.#parts;
    const stopped: string[] = [];
    for (const { vmHash } of dropped) {
      const reason = store.reason(
        "NOT_ALLOCATED",
        "the scheduler no longer wants it here; its disks are kept for a time",
      );
      try {
        await executions.stop(vmHash, reason, signal);
        stopped.push(vmHash);
      } catch (error) {
        if (!(error instanceof ExecutionError)) throw error;
        log.warn("a machine that is no longer allocated could not be stopped", { vmHash, error });
      }
    }
    return stopped;
  }

  async #startAll(hashes: readonly string[]): Promise<{ vmHash: string; error: string | null }[]> {
    return Promise.all(
      hashes.map(async (vmHash) => {
        try {
          await this.#start(vmHash);
          return { vmHash, error: null };
        } catch (error) {
          if (isAbortOf(this.#parts.signal, error)) throw error;
          if (!(error instanceof ExecutionError)) {
            this.#parts.log.error("a machine could not be started", { vmHash, error });
          }
          return { vmHash, error: errorText(error) };
        }
      }),
    );
  }

  async #start(vmHash: string): Promise<void> {
    const { executions, signal } = this.#parts;
    const execution = executions.get(vmHash);
    if (execution !== null && isLeftAlone(execution)) return;
    const message = await this.#message(vmHash);
    await executions.ensureRunning(message, { source: "scheduler", isPersistent: true }, signal);
  }

  async #message(vmHash: string): Promise<VmMessage> {
    const { coreNodes, signal } = this.#parts;
    const message = await coreNodes.vmMessage(vmHash, signal);
    if (message === null) throw new ExecutionError("NOT_FOUND", `no core node has a live message ${vmHash}`);
    return message;
  }

  async #messageProblem(vmHash: string): Promise<string | null> {
    try {
      await this.#message(vmHash);
      return null;
    } catch (error) {
      this.#parts.signal.throwIfAborted();
      return error instanceof Error ? error.message : String(error);
    }
  }

  #govern(planId: string): void {
    this.#parts.store.setFact(PLAN_FACT, JSON.stringify({ planId, atMs: this.#parts.nowMs() }));
  }

  #governingPlan(): { readonly planId: string } | null {
    const text = this.#parts.store.fact(PLAN_FACT);
    if (text === null) return null;
    const plan = JSON.parse(text) as { readonly planId: string; readonly atMs: number };
    return this.#parts.nowMs() - plan.atMs <= this.#parts.settings.planTtlMs ? plan : null;
  }
}

/** Why a machine stopped that its owner wanted to stop, beside that the owner said so. */
const OWNERS_REASONS: ReadonlySet<string> = new Set(["GUEST_SHUTDOWN", "EXPIRED", HELD_BY_OWNER]);

/** Runs, or its owner wants it stopped, or does not pay for it: a push changes none of that. */
function isLeftAlone({ state, desired, reason }: Execution): boolean {
  if (state === "running" && desired === "running") return true;
  const isOwnersWish = reason === null || OWNERS_REASONS.has(reason.code);
  // The check of payments starts it when it is paid again.
  const isUnpaid = reason?.code === "PAYMENT_MISSING";
  return desired === "stopped" && state === "stopped" && (isOwnersWish || isUnpaid);
}

/** Whether absence from the list stops it: not what is paid otherwise, or bound to this node. */
function isGoverned({ isPersistent, content, desired, state }: Execution): boolean {
  if (!isPersistent || desired !== "running" || state === "exporting" || state === "importing") return false;
  return paymentTermsOf(content).type === "hold" && !isSpecial(content);
}

/** A scheduler that started a machine may end it, also one that waits for its payment: nobody else counts on it here. */
function isOfScheduler({ isPersistent, source, desired, state, reason }: Execution): boolean {
  const isMoving = state === "exporting" || state === "importing";
  const mayRun = desired === "running" || reason?.code === "PAYMENT_MISSING";
  return isPersistent && source === "scheduler" && mayRun && !isMoving;
}

function governed(): ControlError {
  const endpoint = "/v2/control/allocations";
  const message = `the machines of this node are governed by a plan; send the list to ${endpoint}`;
  return new ControlError(409, message, { success: false, code: "governed_by_v2_plan", message, endpoint });
}

/** `VmSetupError('…')`, in the way in which Python shows an error. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return "Exception('Unhandled Error')";
  if (error instanceof ExecutionError)
    return `VmSetupError(${pythonText(`${error.code}: ${error.message}`)})`;
  const isKnown = "code" in error && typeof error.code === "string";
  return isKnown ? `${error.name}(${pythonText(error.message)})` : "Exception('Unhandled Error')";
}

function pythonText(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n")}'`;
}
