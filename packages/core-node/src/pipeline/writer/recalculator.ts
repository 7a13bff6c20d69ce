import type { NetworkDefinition } from "@twentysix/protocol";
import {
  type CostFact,
  costFactOf,
  decidePayment,
  type PreparedMessage,
  type PriceRequest,
  priceQuestion,
  type StateContext,
  World,
} from "@twentysix/state";
import type { MessagePlace, PricedMessage } from "@twentysix/storage";
import { encodeCostLines, type MessageStore } from "@twentysix/storage/writer";
import type { CopyReader } from "../copy-reader.ts";
import type { RecalculationReport } from "../recalculation-report.ts";
import { PriceTimeline } from "./price-timeline.ts";
import { type CostChange, replaceCosts } from "./replace-costs.ts";

export interface RecalculatorOptions {
  readonly store: MessageStore;
  /** The rules, and the moment. */
  readonly context: () => StateContext;
  readonly reader: CopyReader;
  readonly defaults: Pick<NetworkDefinition, "pricing" | "settings">;
  /** Told now and then, and at the end. */
  readonly onProgress: (requestId: number, report: RecalculationReport, isDone: boolean) => void;
}

export interface RecalculationRequest {
  readonly requestId: number;
  /** null: every message. */
  readonly itemHash: string | null;
  readonly dryRun: boolean;
}

/** Messages that one slice looks at, and one between two batches of a busy writer. */
const SLICE = 32;
const SMALL_SLICE = 4;
/** How often progress is told, in messages. */
const TOLD_EVERY = 1_000;
/** Costs that are held until they are written, all of them in one transaction. */
const MAX_HELD = 20_000;
const MAX_ERRORS = 100;
/** Rounds of fetching that one message may take; more is a defect. */
const MAX_ROUNDS = 20;

interface Task extends RecalculationRequest {
  readonly timeline: PriceTimeline;
  readonly changes: CostChange[];
  readonly errors: { readonly itemHash: string; readonly error: string }[];
  after: MessagePlace | null;
  looked: number;
  recalculated: number;
  changed: number;
  total: number;
}

/**
 * Computes costs anew with the prices that were in force at the time of each message. Everything is computed first,
 * in slices between other work, and then replaced in one transaction; what is about to be removed is left alone.
 */
export class Recalculator {
  readonly #options: RecalculatorOptions;
  readonly #tasks: Task[] = [];

  constructor(options: RecalculatorOptions) {
    this.#options = options;
  }

  add(request: RecalculationRequest): void {
    const { store, context, defaults } = this.#options;
    const timeline = PriceTimeline.read(store, context().rules.prices, defaults);
    const total = request.itemHash === null ? store.countPricedMessages() : 1;
    const counts = { looked: 0, recalculated: 0, changed: 0, total };
    const task = { ...request, timeline, changes: [], errors: [], after: null, ...counts };
    // A single message does not wait for all others.
    if (request.itemHash === null) this.#tasks.push(task);
    else this.#tasks.unshift(task);
  }

  /** One slice; false when nothing is asked for. */
  async advance(size = SLICE): Promise<boolean> {
    const [task] = this.#tasks;
    if (task === undefined) return false;
    const messages = this.#next(task, size);
    for (const message of messages) this.#look(task, message);
    task.after = messages.at(-1)?.place ?? task.after;
    const isDone = messages.length < size || task.itemHash !== null;
    if (isDone || task.changes.length >= MAX_HELD) await this.#write(task);
    if (isDone) this.#tasks.splice(this.#tasks.indexOf(task), 1);
    const passed =
      Math.floor(task.looked / TOLD_EVERY) > Math.floor((task.looked - messages.length) / TOLD_EVERY);
    if (isDone || passed) this.#options.onProgress(task.requestId, reportOf(task), isDone);
    return true;
  }

  /** A small slice between two batches of a writer that is never idle. */
  async relieve(): Promise<void> {
    await this.advance(SMALL_SLICE);
  }

  #next({ itemHash, after }: Task, size: number): PricedMessage[] {
    const { store } = this.#options;
    if (itemHash === null) return store.pricedMessages(after, size);
    const one = store.pricedMessage(itemHash);
    return one === null ? [] : [one];
  }

  #look(task: Task, stored: PricedMessage): void {
    task.looked += 1;
    // What is about to be removed keeps the cost by which that was decided.
    if (!this.#options.store.isStatus(stored.itemHash, "processed")) return;
    const world = new World();
    const outcome = this.#costOf(task, world, stored);
    if ("error" in outcome) {
      if (task.errors.length < MAX_ERRORS) task.errors.push({ itemHash: stored.itemHash, ...outcome });
      return;
    }
    task.recalculated += 1;
    const { store } = this.#options;
    store.fetch(world, [{ table: "costs", key: stored.itemHash }], () => undefined);
    const before = world.facts.costs.get(stored.itemHash);
    // What was billed stays so: whether its owner could pay for it today is another question.
    const cost: CostFact =
      before === null
        ? outcome.cost
        : { ...outcome.cost, isBilled: before.isBilled, acceptance: before.acceptance };
    if (before !== null && isSame(before, cost)) return;
    task.changed += 1;
    if (!task.dryRun) task.changes.push({ itemHash: stored.itemHash, cost, lists: outcome.lists });
  }

  #costOf(
    task: Task,
    world: World,
    stored: PricedMessage,
  ): { readonly cost: CostFact; readonly lists: PriceRequest["lists"] } | { readonly error: string } {
    const message = this.#read(stored);
    if (message === null) return { error: "its content can no longer be read" };
    const { store } = this.#options;
    const lists = task.timeline.at(message.envelope.timeMicros);
    const context: StateContext = { ...this.#options.context(), priceLists: () => lists };
    const observedMicros = store.confirmedMicros(stored.itemHash) ?? stored.receptionMicros;
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const question = priceQuestion(world, context, message, observedMicros);
      if (question === null) return { error: "messages of this type have no price" };
      if ("cost" in question) {
        const { isAccepted, isBilled } = decidePayment(question);
        const cost = { ...costFactOf(question), isBilled: isBilled || !isAccepted, acceptance: null };
        return { cost, lists };
      }
      if (question.kind === "reject") return { error: errorText(question.error.details) };
      store.fetch(world, question.needs, () => undefined);
    }
    throw new Error(`The price of ${stored.itemHash} asked for facts ${MAX_ROUNDS} times`);
  }

  /** A message of an older schema may have become unreadable; it keeps the cost that it has. */
  #read({ envelopeText, contentText }: PricedMessage): PreparedMessage | null {
    const { reader } = this.#options;
    try {
      const message = reader.prepare(envelopeText, contentText);
      if (message !== null) reader.typed(message);
      return message;
    } catch {
      return null;
    }
  }

  async #write(task: Task): Promise<void> {
    const { store, context } = this.#options;
    if (task.changes.length > 0) await replaceCosts(store, context(), task.changes.splice(0));
  }
}

function isSame(a: CostFact, b: CostFact): boolean {
  return (
    a.priceListHash === b.priceListHash &&
    a.paymentType === b.paymentType &&
    a.isRemovable === b.isRemovable &&
    a.fileSizeBytes === b.fileSizeBytes &&
    encodeCostLines("", a.lines) === encodeCostLines("", b.lines)
  );
}

function errorText(details: unknown): string {
  const { errors = [] } = (details ?? {}) as { readonly errors?: readonly unknown[] };
  const [first] = errors;
  if (typeof first === "object" && first !== null && "msg" in first) return String(first.msg);
  return typeof first === "string" ? first : "it has no price";
}

function reportOf({ looked, recalculated, changed, total, timeline, errors }: Task): RecalculationReport {
  return {
    total: Math.max(total, looked),
    looked,
    recalculated,
    changed,
    priceLists: timeline.changes,
    errors,
  };
}
