import { isAbortOf, type Logger, PlatformError, type Timers } from "@twentysix/platform";
import { SchedulerError } from "../errors.ts";
import type { NodeClient } from "../http/node-client.ts";
import type { NodeRecord } from "../model/node.ts";
import type { Wishes } from "../model/vm.ts";
import type { SchedulerSettings } from "../settings.ts";
import type { Liveness } from "../state/liveness.ts";
import type { SchedulerStore } from "../state/store.ts";
import { Wakeup } from "../wakeup.ts";
import { isSafeList, withMeaning } from "./drop-guard.ts";
import { heldBack } from "./held-back.ts";
import { readPushAnswer } from "./push-answer.ts";
import { noteFences, setPushMode, takePushAnswer, takePushFailure } from "./push-intake.ts";
import { type PushList, pushListOf } from "./push-list.ts";

export interface DispatcherOptions {
  readonly store: SchedulerStore;
  readonly liveness: Liveness;
  readonly client: NodeClient;
  readonly settings: SchedulerSettings;
  readonly timers: Timers;
  readonly nowMs: () => number;
  readonly log: Logger;
  readonly wishesOf: (vmHash: string) => Wishes | null;
  /** Whether this scheduler may send, and has made its first plan. */
  readonly maySend: () => boolean;
  readonly onChange: () => void;
  readonly onAlarm: (nodeHash: string, text: string) => void;
  /** A node was sent something: it is asked soon what came of it. */
  readonly onPushed: (nodeHash: string) => void;
}

interface Channel {
  dueMs: number;
  /** Its list may be another one since it was last read. */
  isTouched: boolean;
  /** Nothing is sent before, whatever is touched. */
  notBeforeMs: number;
  flight: { readonly abort: AbortController; readonly ended: Promise<void> } | null;
  /** Migrations that must not be disturbed. */
  holds: number;
}

const TICK_MS = 500;
const RETRY_MS = 5_000;
const HELD_BACK_RETRY_MS = 1_000;
const MAX_ROUTE_CHANGES = 2;

/**
 * Sends each node its complete list: at once when it changes, and again and again. One request is on its way to a node
 * at a time, the newest list follows it, and no node waits for another.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #channels = new Map<string, Channel>();
  readonly #wakeup: Wakeup;
  /** What no push should meet. */
  readonly #defects: unknown[] = [];

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#wakeup = new Wakeup(options.timers);
  }

  /** The list of a node may have changed. */
  touch(nodeHash: string): void {
    this.#channel(nodeHash).isTouched = true;
    this.#wakeup.wake();
  }

  /** A node is given up: what is on its way to it shall not arrive later. */
  abandon(nodeHash: string): void {
    this.#channels
      .get(nodeHash)
      ?.flight?.abort.abort(new SchedulerError("SCHEDULER_UNREACHABLE", "given up"));
  }

  /**
   * Keeps lists away from a node until the returned function is called; resolves when none is on its way any more.
   */
  async hold(nodeHash: string): Promise<() => void> {
    const channel = this.#channel(nodeHash);
    channel.holds += 1;
    await channel.flight?.ended;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      channel.holds -= 1;
      this.touch(nodeHash);
    };
  }

  /** Runs until the signal aborts. Rejects with what no push should meet. */
  async run(signal: AbortSignal): Promise<void> {
    this.#defects.length = 0;
    while (!signal.aborted) {
      this.#forget();
      if (this.#options.maySend())
        for (const node of this.#options.store.nodes.values()) this.#pump(node, signal);
      await this.#wakeup.wait(TICK_MS, signal);
      if (this.#defects.length > 0) throw this.#defects[0];
    }
    await Promise.all([...this.#channels.values()].map(({ flight }) => flight?.ended));
  }

  /** What is no node any more. */
  #forget(): void {
    const { nodes } = this.#options.store;
    if (this.#channels.size <= nodes.size) return;
    for (const [nodeHash, { flight, holds }] of this.#channels)
      if (flight === null && holds === 0 && !nodes.has(nodeHash)) this.#channels.delete(nodeHash);
  }

  #channel(nodeHash: string): Channel {
    const known = this.#channels.get(nodeHash);
    if (known !== undefined) return known;
    const channel: Channel = { dueMs: 0, isTouched: false, notBeforeMs: 0, flight: null, holds: 0 };
    this.#channels.set(nodeHash, channel);
    return channel;
  }

  #pump(node: NodeRecord, signal: AbortSignal): void {
    const { nowMs, settings } = this.#options;
    const { nodeHash } = node.registration;
    const channel = this.#channel(nodeHash);
    const isDue = channel.isTouched || channel.dueMs <= nowMs();
    if (!isDue || channel.flight !== null || channel.holds > 0 || channel.notBeforeMs > nowMs()) return;
    if (!this.#mayReach(node)) return;
    channel.isTouched = false;
    channel.dueMs = nowMs() + settings.pushPeriodMs;
    const abort = new AbortController();
    const ended = this.#push(nodeHash, AbortSignal.any([signal, abort.signal]), signal)
      .catch((error: unknown) => void this.#defects.push(error))
      .finally(() => {
        channel.flight = null;
        this.#wakeup.wake();
      });
    channel.flight = { abort, ended };
  }

  /** A node that has nothing of ours, and never had, and takes no machines, hears nothing. */
  #mayReach({ registration: { nodeHash, address, isLinked }, isPolled, observations }: NodeRecord): boolean {
    const { store, liveness, nowMs } = this.#options;
    if (address === null || !isPolled || liveness.of(nodeHash).failures > 0) return false;
    const push = store.pushOf(nodeHash);
    if ((push.pausedUntilMs ?? 0) > nowMs()) return false;
    if (isLinked || push.acknowledged.length > 0) return true;
    // It may not have done yet what the last list said.
    if (Object.keys(observations).some((vmHash) => store.vms.has(vmHash))) return true;
    return store.vmsOf(nodeHash).length > 0;
  }

  async #push(nodeHash: string, signal: AbortSignal, closing: AbortSignal): Promise<void> {
    const { store, log, nowMs, onAlarm, settings, wishesOf } = this.#options;
    const held = heldBack(this.#options, nodeHash, settings, nowMs());
    const list = pushListOf(store, nodeHash, held, wishesOf, settings);
    if (held.size > 0) this.#channel(nodeHash).dueMs = nowMs() + HELD_BACK_RETRY_MS;
    if (!isSafeList(store, nodeHash, list, settings)) {
      const text = "its list would end machines without a reason, and is held back";
      if (store.pushOf(nodeHash).result !== "held") onAlarm(nodeHash, text);
      takePushFailure(store, nodeHash, "held", text, nowMs());
      return;
    }
    const sent = withMeaning(store, nodeHash, list, settings);
    noteFences(store, nodeHash, sent);
    try {
      for (let changes = 0; changes <= MAX_ROUTE_CHANGES; changes += 1) {
        if (await this.#send(nodeHash, sent, signal)) return;
      }
    } catch (error) {
      if (isAbortOf(closing, error)) return;
      if (!(error instanceof SchedulerError || error instanceof PlatformError)) throw error;
      log.warn("a node could not be sent its list", { nodeHash, error });
      takePushFailure(store, nodeHash, "unreachable", error.message, nowMs());
      this.#channel(nodeHash).dueMs = nowMs() + RETRY_MS;
    }
  }

  /** false: another route is to be tried. */
  async #send(nodeHash: string, list: PushList, signal: AbortSignal): Promise<boolean> {
    const { store, client, settings } = this.#options;
    const node = store.nodes.get(nodeHash);
    const address = node?.registration.address ?? null;
    if (node === undefined || address === null) return true;
    const mode = node.pushMode;
    const route = mode === "v2" ? "/v2/control/allocations" : "/control/allocations";
    const timeoutMs = settings.pushTimeoutMs;
    const call = {
      nodeHash,
      address,
      method: "POST",
      route,
      body: list,
      isSigned: true,
      timeoutMs,
      signal,
    } as const;
    const answer = readPushAnswer(await client.call(call), mode);
    if (answer.kind !== "other_route") {
      this.#take(nodeHash, list, answer);
      return true;
    }
    setPushMode(store, nodeHash, answer.mode);
    return false;
  }

  #take(
    nodeHash: string,
    list: PushList,
    answer: Exclude<ReturnType<typeof readPushAnswer>, { kind: "other_route" }>,
  ): void {
    const { store, settings, nowMs, onAlarm, onChange, onPushed, log } = this.#options;
    switch (answer.kind) {
      case "taken": {
        const effect = takePushAnswer(store, settings, nodeHash, list, answer, nowMs());
        if (effect.alarm !== null) onAlarm(nodeHash, effect.alarm);
        if (effect.hasChanged) onChange();
        onPushed(nodeHash);
        return;
      }
      case "refused": {
        const text = "it does not accept this scheduler's signature";
        if (takePushFailure(store, nodeHash, "refused", text, nowMs())) {
          onAlarm(nodeHash, text);
          onChange();
        }
        this.#channel(nodeHash).notBeforeMs = nowMs() + settings.pushPeriodMs;
        return;
      }
      case "failed":
        log.warn("a node did not take its list", { nodeHash, text: answer.text });
        takePushFailure(store, nodeHash, "failed", answer.text, nowMs());
    }
  }
}
