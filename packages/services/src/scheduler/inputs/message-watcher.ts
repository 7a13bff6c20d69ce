import { isAbortOf, type Logger, type Timers } from "@twentysix/platform";
import { type ContentSwitches, isJsonObject, memberOf } from "@twentysix/protocol";
import { type Connection, isSdkError, type MessageObject, watchMessages } from "@twentysix/sdk";
import { SchedulerError } from "../errors.ts";
import type { SchedulerStore } from "../state/store.ts";
import { MACHINE_TYPES, type MessageSource } from "./message-source.ts";
import { readVmVersion } from "./vm-facts.ts";
import type { VmIntake } from "./vm-intake.ts";

export interface MessageWatcherOptions {
  readonly connection: Connection;
  readonly switches: ContentSwitches;
  readonly registry: { readonly address: string; readonly key: string };
  readonly source: MessageSource;
  readonly intake: VmIntake;
  readonly store: SchedulerStore;
  readonly maxVanishedShare: number;
  readonly timers: Timers;
  readonly log: Logger;
  /** Something is decided anew. */
  readonly onChange: () => void;
  /** The registry was written. */
  readonly onRegistry: () => void;
  readonly onAlarm: (text: string) => void;
}

/** Fewer machines than that may vanish at once however few there are. */
const MIN_VANISHED = 5;
/** So often must a snapshot lack many machines before it is believed. */
const BELIEVED_AFTER = 3;
const MAX_FORGOTTEN = 1_000;
const RETRY_MS = 5_000;

/** Keeps the machines as the messages have them: by snapshots, which are the truth, and by what arrives in between. */
export class MessageWatcher {
  readonly #options: MessageWatcherOptions;
  #shrunken = 0;
  #isComplete = false;

  constructor(options: MessageWatcherOptions) {
    this.#options = options;
  }

  /** One whole snapshot was read. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** @throws SchedulerError SCHEDULER_SNAPSHOT_REFUSED, and those of the SDK */
  async takeSnapshot(signal: AbortSignal): Promise<void> {
    const { source, intake, onChange, store } = this.#options;
    // What arrives while pages are read may be missing from them: only what was known before can have vanished.
    const before = [...store.vms.values()].filter((vm) => vm.isLive).map(({ facts }) => facts.vmHash);
    const { placed, onDemand } = await source.snapshot(signal);
    const hasNew = intake.see(placed.values());
    const hasWishes = await this.#readWishes(intake.owners(), signal);
    const changed = before.filter((vmHash) => onDemand.has(vmHash));
    const hasChanged = intake.end(new Map(changed.map((vmHash) => [vmHash, "requirements_changed"])));
    const vanished = before.filter((vmHash) => !placed.has(vmHash) && !onDemand.has(vmHash));
    const hasEnded = await this.#endVanished(vanished, before.length, signal);
    this.#isComplete = true;
    if (hasNew || hasWishes || hasChanged || hasEnded) onChange();
  }

  async #endVanished(vanished: readonly string[], known: number, signal: AbortSignal): Promise<boolean> {
    const { maxVanishedShare, onAlarm } = this.#options;
    const isShrunken = vanished.length > Math.max(MIN_VANISHED, known * maxVanishedShare);
    this.#shrunken = isShrunken ? this.#shrunken + 1 : 0;
    if (isShrunken && this.#shrunken < BELIEVED_AFTER) {
      const text = `a snapshot of the messages lacks ${vanished.length} of ${known} machines: nothing is deleted`;
      onAlarm(text);
      throw new SchedulerError("SCHEDULER_SNAPSHOT_REFUSED", text);
    }
    return this.#endConfirmed(vanished, signal);
  }

  /** Ends those of which the core node says that they are gone; silence ends nothing. */
  async #endConfirmed(vmHashes: readonly string[], signal: AbortSignal): Promise<boolean> {
    const { source, intake } = this.#options;
    const ended = new Map<string, "deleted" | "payment_removed">();
    for (const vmHash of vmHashes) {
      const end = await source.endOf(vmHash, signal);
      if (end !== null) ended.set(vmHash, end);
    }
    return intake.end(ended);
  }

  /** Follows the core node until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { connection, timers, log } = this.#options;
    const types = [...MACHINE_TYPES, "FORGET", "AGGREGATE"];
    while (!signal.aborted) {
      try {
        for await (const message of watchMessages(connection, { types, signal })) {
          await this.#take(message, signal);
        }
      } catch (error) {
        if (isAbortOf(signal, error)) return;
        if (!isSdkError(error)) throw error;
        log.warn("messages cannot be followed just now; snapshots go on", { error });
        await timers.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  async #take(message: MessageObject, signal: AbortSignal): Promise<void> {
    const { onChange, store } = this.#options;
    switch (message.type) {
      case "FORGET": {
        const hashes = isJsonObject(message.content) ? memberOf(message.content, "hashes") : [];
        const known = (Array.isArray(hashes) ? hashes : [])
          .slice(0, MAX_FORGOTTEN)
          .filter((hash): hash is string => typeof hash === "string" && store.vms.get(hash)?.isLive === true);
        if (await this.#endConfirmed(known, signal)) onChange();
        return;
      }
      case "AGGREGATE":
        return this.#takeAggregate(message, signal);
      default:
        return this.#takeMachine(message, signal);
    }
  }

  async #takeAggregate(message: MessageObject, signal: AbortSignal): Promise<void> {
    const { registry, intake, onChange, onRegistry } = this.#options;
    const key = isJsonObject(message.content) ? memberOf(message.content, "key") : null;
    const owner = isJsonObject(message.content) ? memberOf(message.content, "address") : null;
    if (key === registry.key && owner === registry.address) onRegistry();
    if (key !== "placement" || typeof owner !== "string" || !intake.owners().includes(owner)) return;
    if (await this.#readWishes([owner], signal)) onChange();
  }

  async #readWishes(owners: readonly string[], signal: AbortSignal): Promise<boolean> {
    const { source, intake } = this.#options;
    return intake.setWishes(owners, await source.wishes(owners, signal));
  }

  async #takeMachine(message: MessageObject, signal: AbortSignal): Promise<void> {
    const { switches, intake, store, onChange } = this.#options;
    const version = readVmVersion(message, switches);
    if (version === null || !intake.isNews(version)) return;
    const { owner } = version.facts;
    const isKnown = version.replaces !== null && store.vms.has(version.replaces);
    const wishes = isKnown ? null : await this.#wishesOf(owner, signal);
    const hasChanged = intake.hear(version);
    if (wishes !== null) intake.setWishes([owner], wishes);
    if (hasChanged) onChange();
  }

  /** Before anybody decides where a new machine runs; null: not known now, the next snapshot has them. */
  async #wishesOf(
    owner: string,
    signal: AbortSignal,
  ): Promise<Awaited<ReturnType<MessageSource["wishes"]>> | null> {
    try {
      return await this.#options.source.wishes([owner], signal);
    } catch (error) {
      if (isAbortOf(signal, error) || !isSdkError(error)) throw error;
      this.#options.log.warn("what the owner of a new machine wishes is not known yet", { owner, error });
      return null;
    }
  }
}
