import { join } from "node:path";
import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import { type ContentSwitches, encodeHex } from "@twentysix/protocol";
import { createConnection } from "@twentysix/sdk";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { NodeClient } from "./http/node-client.ts";
import { createSendRequest } from "./http/outgoing.ts";
import { severalCoreNodes } from "./http/several-core-nodes.ts";
import type { SchedulerKey } from "./http/signature.ts";
import { MessageSource } from "./inputs/message-source.ts";
import { MessageWatcher } from "./inputs/message-watcher.ts";
import { NodePoller } from "./inputs/node-poller.ts";
import { ObservationIntake } from "./inputs/observation-intake.ts";
import { NodeRegistryKeeper } from "./inputs/registry-keeper.ts";
import { VmIntake } from "./inputs/vm-intake.ts";
import { MigrationCalls } from "./migration/migration-calls.ts";
import { Migrations } from "./migration/migrations.ts";
import { DATABASE_FILE } from "./replay.ts";
import { Planning } from "./rounds/planning.ts";
import { SecondOpinions } from "./rounds/second-opinions.ts";
import { StatusTeller } from "./rounds/status-teller.ts";
import type { SchedulerSettings } from "./settings.ts";
import { SchedulerDatabase } from "./state/database.ts";
import { DecisionLog } from "./state/decision-log.ts";
import { ActiveLease } from "./state/lease.ts";
import { Liveness } from "./state/liveness.ts";
import { PlanTime } from "./state/plan-time.ts";
import { Samples } from "./state/samples.ts";
import { SchedulerStore } from "./state/store.ts";
import { StateView } from "./state/view.ts";

export interface SchedulerPartsOptions {
  /** A core node: `http://127.0.0.1:4024`. */
  readonly apiUrl: string;
  readonly otherApiUrls?: readonly string[];
  readonly registry: { readonly address: string; readonly key: string };
  readonly switches: ContentSwitches;
  readonly key: SchedulerKey | null;
  readonly legacyToken: string | null;
  readonly dataDir: string;
  readonly settings: SchedulerSettings;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

export type SchedulerParts = ReturnType<typeof createSchedulerParts>;

/** Makes the parts of a scheduler and tells each whom it wakes; nothing runs yet. */
export function createSchedulerParts(options: SchedulerPartsOptions) {
  const { apiUrl, otherApiUrls = [], settings, timers, random, log, clock, registry, switches } = options;
  const nowMs = (): number => Number(clock.nowMicros() / 1_000n);
  const database = new SchedulerDatabase(join(options.dataDir, DATABASE_FILE));
  const lease = new ActiveLease(database, encodeHex(random.randomBytes(16)), settings.leaseMs, nowMs);
  const store = new SchedulerStore(database, nowMs, () => lease.isUncontested);
  const liveness = new Liveness(nowMs());
  const view = new StateView(store, liveness, settings, nowMs);
  const send = createSendRequest(timers, settings);
  const { key, legacyToken } = options;
  const client = new NodeClient({ send, key, legacyToken, liveness, clock, random });
  const connection = createConnection({
    ...severalCoreNodes([apiUrl, ...otherApiUrls]),
    runtime: {
      nowMicros: () => clock.nowMicros(),
      random: () => random.uniform(2 ** 32) / 2 ** 32,
      schedule: timers.schedule,
    },
  });
  const planTime = new PlanTime(database, nowMs());
  const source = new MessageSource({ connection, switches, registry });
  const vmIntake = new VmIntake(store, nowMs);
  const intake = new ObservationIntake(store, liveness, settings.refusalMs, nowMs);
  const nodes = new NodeRegistryKeeper(source, store, settings, nowMs);
  const opinions = new SecondOpinions(settings.failover.vantagePoints, store, send, nowMs);
  const onAlarm = (nodeHash: string | null, text: string): void => {
    log.error("the scheduler needs its operator", { nodeHash, text });
    store.change((changes) => changes.event({ type: "Alarm", nodeHash, text }));
  };
  const onChange = (): void => planning.request();
  const registryWanted = { wake: (): void => {} };
  const watcher = new MessageWatcher({
    connection,
    switches,
    registry,
    source,
    intake: vmIntake,
    store,
    maxVanishedShare: settings.maxVanishedShare,
    timers,
    log,
    onChange,
    onRegistry: () => registryWanted.wake(),
    onAlarm: (text) => onAlarm(null, text),
  });
  const poller = new NodePoller({
    store,
    liveness,
    intake,
    client,
    settings,
    timers,
    random,
    nowMs,
    log,
    onChange,
    onSilent: (nodeHash) => dispatcher.abandon(nodeHash),
    onBack: (nodeHash) => dispatcher.touch(nodeHash),
  });
  const mayDecide = (): boolean =>
    lease.isHeld && watcher.isComplete && nodes.isComplete && poller.isComplete;
  const planning: Planning = new Planning({
    sources: {
      store,
      liveness,
      settings,
      wishesOf: (vmHash) => vmIntake.wishesOf(vmHash),
      secondOpinionOf: (nodeHash) => opinions.of(nodeHash),
    },
    store,
    decisions: new DecisionLog(database),
    settings,
    timers,
    nowMs,
    log,
    mayDecide,
    beforeRound: (signal) => opinions.refresh(signal),
    afterRound: ({ touchedNodes, migrations: wanted }, atMs) => {
      planTime.set(atMs);
      if (!settings.isDryRun) for (const decision of wanted) migrations.begin(decision);
      for (const nodeHash of touchedNodes) dispatcher.touch(nodeHash);
      teller.tell();
    },
  });
  const isAbleToSend = key !== null || legacyToken !== null;
  const dispatcher: Dispatcher = new Dispatcher({
    store,
    liveness,
    client,
    settings,
    timers,
    nowMs,
    log,
    wishesOf: (vmHash) => vmIntake.wishesOf(vmHash),
    maySend: () => isAbleToSend && !settings.isDryRun && mayDecide() && planTime.isOfThisRun,
    onChange,
    onAlarm,
    onPushed: (nodeHash) => poller.hasten(nodeHash, PUSHED_POLL_MS),
  });
  const migrations: Migrations = new Migrations({
    store,
    calls: new MigrationCalls(client, store, settings),
    dispatcher,
    settings,
    timers,
    nowMs,
    log,
    targetFor: (vmHash, except) => planning.targetFor(vmHash, except),
    onChange,
  });
  const teller = new StatusTeller(store, view);
  return {
    nowMs,
    database,
    store,
    lease,
    liveness,
    view,
    client,
    planTime,
    vmIntake,
    intake,
    nodes,
    watcher,
    poller,
    planning,
    dispatcher,
    registryWanted,
    samples: new Samples(database),
    teller,
    migrations,
  };
}

/** A machine that was just started is looked for so soon. */
const PUSHED_POLL_MS = 1_000;
