import type { DatabaseSync } from "node:sqlite";
import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import type { DiskRoom } from "../executions/admission/disk-claims.ts";
import type { Execution } from "../executions/execution.ts";
import type { Executions } from "../executions/executions.ts";
import type { Hypervisor } from "../hypervisor/hypervisor.ts";
import type { FileCache, HostImages } from "../images/images.ts";
import type { CoreNodeClient } from "../messages/core-node-client.ts";
import type { MessageFeed } from "../messages/message-feed.ts";
import type { VmNetworks } from "../networking/vm-network.ts";
import type { FunctionObserver } from "./function-observer.ts";
import { GuestApi, type GuestApiOptions } from "./guest-api/guest-api.ts";
import { ProgramCache } from "./guest-api/program-cache.ts";
import { RunningGuests } from "./guests/running-guests.ts";
import { ColdStarts } from "./http/cold-start-limits.ts";
import { FunctionFront } from "./http/function-front.ts";
import { NamedHosts, type ResolveTxt } from "./http/named-hosts.ts";
import { ProgramStarter } from "./http/program-starter.ts";
import { ProgramKeeper } from "./life-cycle/program-keeper.ts";
import { ProgramMessages } from "./life-cycle/program-messages.ts";
import { ProgramUpdates } from "./life-cycle/program-updates.ts";
import { ProgramUsage } from "./life-cycle/program-usage.ts";
import { ProgramVersions } from "./life-cycle/program-versions.ts";
import { ProgramRunner, type ProgramRunnerSettings } from "./program/program-runner.ts";
import type { FunctionSettings } from "./settings.ts";
import { TemplateStore } from "./templates/template-store.ts";
import { MessageTriggers } from "./triggers/message-triggers.ts";
import { keepCensus } from "./triggers/trigger-census.ts";
import { TriggerStore } from "./triggers/trigger-store.ts";

export interface FunctionsOptions {
  /** Folder of the compute node. */
  readonly computeDir: string;
  readonly hypervisor: Hypervisor;
  readonly networks: VmNetworks;
  readonly files: FileCache;
  readonly images: HostImages;
  /** Why the images cannot be booted now; null: they can. */
  readonly imagesProblem: () => string | null;
  readonly coreNode: CoreNodeClient;
  readonly resolveTxt: ResolveTxt;
  /** `/proc/sys/kernel/random/boot_id` */
  readonly hostBootId: string;
  readonly settings: FunctionSettings;
  readonly programSettings: ProgramRunnerSettings;
  /** Messages of the network as they are processed; null: nothing is updated or run because of one. */
  readonly feed: Pick<MessageFeed, "subscribe" | "stored"> | null;
  /** Where the network's registry of nodes is, and which node of it this is; null: there is none. */
  readonly registry: { readonly address: string; readonly key: string } | null;
  readonly nodeHash: () => string | null;
  /** Whether this node still is the one to run its machines. */
  readonly hasContact: (execution: Execution) => boolean;
  readonly guestApi: Pick<GuestApiOptions, "coreNodeUrls" | "signer" | "fetch">;
  /** That of the executions; has tables of this part too. */
  readonly database: DatabaseSync;
  /** On the disk of `computeDir`. */
  readonly room: DiskRoom;
  readonly observer?: FunctionObserver | undefined;
  readonly templateQuota: { readonly maxTemplates: number; readonly maxBytes: number };
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** The part of a compute node that runs programs. */
export interface Functions {
  /** For the executions, which are made with it. */
  readonly runner: ProgramRunner;
  /**
   * From here on visitors are served. Call it once, when the executions are reconciled with what runs.
   *
   * @returns what answers visitors; mount it with `registerFunctionRoutes`
   */
  start(executions: Executions): FunctionFront;
  /** On the disk. */
  templates(): { readonly count: number; readonly bytes: number };
  /** After the executions are closed. Machines that are kept alive go on. */
  close(): Promise<void>;
}

export async function createFunctions(options: FunctionsOptions): Promise<Functions> {
  const closing = new AbortController();
  const guests = new RunningGuests();
  const templates = await TemplateStore.open({ ...options, ...options.templateQuota });
  const cache = new ProgramCache(options.database, options.clock);
  const guestApi = new GuestApi({ ...options, ...options.guestApi, cache, signal: closing.signal });
  cache.expireAll();
  let parts: Parts | null = null;
  const runner = new ProgramRunner({
    ...options,
    settings: options.programSettings,
    templates,
    guests,
    guestApi,
    onLost: (vmHash, why) => parts?.keeper.unresponsive(vmHash, why.message),
  });
  return {
    runner,
    templates: () => templates.figures(),
    start(executions) {
      parts = startParts(options, executions, guests, closing.signal);
      return parts.front;
    },
    async close() {
      closing.abort(new Error("the node stops"));
      parts?.unsubscribe();
      parts?.usage.close();
      await parts?.census;
      await runner.close();
      guestApi.close();
    },
  };
}

interface Parts {
  readonly front: FunctionFront;
  readonly keeper: ProgramKeeper;
  readonly usage: ProgramUsage;
  /** Ends with the signal; null: there is no feed. */
  readonly census: Promise<void> | null;
  readonly unsubscribe: () => void;
}

function startParts(
  options: FunctionsOptions,
  executions: Executions,
  guests: RunningGuests,
  signal: AbortSignal,
): Parts {
  const { settings, clock, timers, log, coreNode, observer } = options;
  const nowMs = (): number => Number(clock.nowMicros() / 1_000n);
  const keeper = new ProgramKeeper({ executions, coreNode, timers, log, nowMs, signal });
  const usage = new ProgramUsage({
    timers,
    idleMs: settings.reuseTimeoutMs,
    onIdle: (vmHash) => keeper.idle(vmHash),
  });
  const versions = new ProgramVersions(coreNode);
  const messages = new ProgramMessages({
    ...{ coreNode, clock, timers, log, signal },
    newestVersion: (message, bounded) => versions.newest(message, bounded),
    onReplaced: (vmHash) => keeper.outdated(vmHash),
    onUnfit: (vmHash, why) => keeper.unfit(vmHash, why),
  });
  const coldStarts = new ColdStarts(settings.coldStarts, clock);
  const starter = new ProgramStarter({
    ...{ executions, messages, guests, coldStarts, settings, clock, timers, signal, observer },
  });
  const front = new FunctionFront({
    ...{ starter, usage, settings, clock, timers, log, observer },
    hosts: new NamedHosts({ resolveTxt: options.resolveTxt, clock, timers }),
    onUnresponsive: (vmHash, why) => keeper.unresponsive(vmHash, why),
  });
  const updates = new ProgramUpdates({ executions, coreNode, keeper, messages, log, signal });
  const store = new TriggerStore(options.database, nowMs);
  store.forgetOldRuns();
  const { registry, nodeHash, feed } = options;
  const triggers = new MessageTriggers({
    ...{ store, starter, usage, coreNode, registry, nodeHash, clock, timers, log, signal, observer },
    slowness: settings.slowness,
  });
  const unsubscribe = feed?.subscribe((fed) => {
    updates.seen(fed);
    triggers.seen(fed);
  });
  const census = feed === null ? null : keepCensus({ feed, triggers, store, timers, log }, signal);
  // Programs that an earlier run of this node left wait for their next visitor as if one had just gone.
  for (const { vmHash, kind } of executions.list()) if (kind === "program") usage.touch(vmHash);
  return { front, keeper, usage, census, unsubscribe: unsubscribe ?? (() => {}) };
}
