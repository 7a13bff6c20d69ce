import { resolveTxt } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { REFERENCE_VERSION } from "../compute-settings.ts";
import type { WantedPorts } from "../control/network-control.ts";
import type { DiskRoom } from "../executions/admission/disk-claims.ts";
import type { RunningExecutions } from "../executions/create-executions.ts";
import type { ContactProof } from "../executions/leases.ts";
import { createFunctions, type Functions } from "../functions/create-functions.ts";
import { DEFAULT_PROGRAM_SETTINGS } from "../functions/program/program-runner.ts";
import { DEFAULT_FUNCTION_SETTINGS } from "../functions/settings.ts";
import type { Hypervisor } from "../hypervisor/hypervisor.ts";
import { createCoreNodeFiles } from "../images/cache/core-node-files.ts";
import { type OpenFileCache, openFileCache } from "../images/cache/file-cache.ts";
import type { HostImageKeeper } from "../images/host-image-keeper.ts";
import { Backups } from "../instances/backups/backup-service.ts";
import { ConfidentialLaunches } from "../instances/confidential/confidential-service.ts";
import { InstanceRunner } from "../instances/instance-runner.ts";
import { Migrations } from "../instances/migration/migration-service.ts";
import { Rescues } from "../instances/rescue/rescue-service.ts";
import { Restores } from "../instances/restore/restore-service.ts";
import type { CoreNodes } from "../messages/core-nodes.ts";
import type { MessageFeed } from "../messages/message-feed.ts";
import type { NodeIdentity } from "../messages/node-identity.ts";
import type { SharedSettings } from "../messages/shared-settings.ts";
import type { ComputeFolders } from "./compute-folders.ts";
import type { ComputeNodeOptions } from "./compute-node-options.ts";
import type { ComputeMetrics } from "./open-metrics.ts";
import type { NetworkParts } from "./open-networks.ts";

export interface HostParts extends NetworkParts {
  readonly hypervisor: Hypervisor;
  readonly database: DatabaseSync;
  readonly folders: ComputeFolders;
  readonly hostImages: HostImageKeeper;
  readonly coreNodes: CoreNodes;
  readonly feed: MessageFeed;
  readonly identity: NodeIdentity;
  readonly contact: ContactProof;
  readonly metrics: ComputeMetrics;
}

/** Files of core nodes on the disk of this one. */
export function openCache(
  options: ComputeNodeOptions,
  { cache }: ComputeFolders,
  room: DiskRoom,
): Promise<OpenFileCache> {
  const { coreNodeUrls, settings, clock, timers } = options;
  return openFileCache({
    folder: cache,
    sources: coreNodeUrls.map((apiUrl) => createCoreNodeFiles({ apiUrl })),
    quotaBytes: settings.storage.cacheQuotaBytes,
    room,
    clock,
    timers,
  });
}

/** The part that runs programs. */
export async function openFunctions(
  options: ComputeNodeOptions,
  parts: HostParts,
  files: OpenFileCache,
  room: DiskRoom,
): Promise<Functions> {
  const { settings, signer, clock, timers, random, log, coreNodeUrls } = options;
  const { hypervisor, networks, database, folders, coreNodes } = parts;
  const { functions, identity, lease, network, storage, starts } = settings;
  const slowness = (): number => hypervisor.capabilities().slowness;
  return createFunctions({
    computeDir: folders.dir,
    hypervisor,
    networks,
    files,
    room,
    images: { kernelPath: join(folders.images, "kernel"), initrdPath: join(folders.images, "initrd") },
    imagesProblem: () => parts.hostImages.problem(),
    coreNode: coreNodes,
    resolveTxt,
    hostBootId: (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim(),
    settings: {
      ...DEFAULT_FUNCTION_SETTINGS,
      domainName: identity.domainName,
      // What a check of the whole way looks at; it is nobody's secret.
      showsTracebacks: (vmHash) =>
        vmHash === settings.checks.fastapiHash || vmHash === settings.checks.legacyFastapiHash,
      serverName: `aleph-vm/${REFERENCE_VERSION}`,
      reuseTimeoutMs: functions.reuseMs,
      trustedProxies: functions.trustedProxies,
      startTimeoutMs: starts.startTimeoutMs * slowness(),
      slowness,
    },
    programSettings: {
      ...DEFAULT_PROGRAM_SETTINGS,
      dnsServers: network.dnsServers,
      leaseMs: lease.leaseMs,
      prefersOwnInit: functions.prefersOwnInit,
      diskBytesPerSecondPerVcpu: storage.diskBytesPerSecondPerVcpu,
    },
    feed: functions.watchesMessages ? parts.feed : null,
    registry: identity.registry,
    nodeHash: () => parts.identity.hash,
    hasContact: (execution) => parts.contact.isFreshFor(execution),
    guestApi: { coreNodeUrls, signer, fetch: globalThis.fetch },
    database,
    observer: parts.metrics.functions,
    templateQuota: { maxTemplates: storage.maxTemplates, maxBytes: storage.templateQuotaBytes },
    clock,
    timers,
    random,
    log: log.child({ part: "functions" }),
  });
}

export function createInstanceRunner(
  options: ComputeNodeOptions,
  { hypervisor, networks, ports, folders, metrics }: HostParts,
  cache: OpenFileCache,
  wantedPorts: WantedPorts,
  eraseBackups: (vmHash: string) => Promise<void>,
): InstanceRunner {
  const { settings, developerKeys } = options;
  return new InstanceRunner({
    computeDir: folders.dir,
    cache,
    maxParentBytes: settings.storage.maxParentBytes,
    hypervisor,
    networks,
    ports,
    wantedPorts,
    eraseBackups,
    onStarted: (way) => metrics.starts.started("instance", way),
    settings: {
      dnsServers: settings.network.dnsServers,
      developerKeys,
      // The runner multiplies it by the slowness of the host.
      shutDownMs: Math.max(
        INSTANCE_SHUT_DOWN_MS / hypervisor.capabilities().slowness,
        MIN_INSTANCE_SHUT_DOWN_MS,
      ),
      leaseMs: settings.lease.leaseMs,
      diskBytesPerSecondPerVcpu: settings.storage.diskBytesPerSecondPerVcpu,
    },
  });
}

/** As the reference gives guests to end in order; one that is booting hears of it once it is far enough. */
const INSTANCE_SHUT_DOWN_MS = 50_000;
const MIN_INSTANCE_SHUT_DOWN_MS = 9_000;

export interface OpenInstanceServices {
  readonly backups: Backups;
  readonly restores: Restores;
  readonly migrations: Migrations;
  readonly rescues: Rescues;
  readonly confidential: ConfidentialLaunches;
}

/** What owners and schedulers may do with disks of instances. */
export function createInstanceServices(
  options: ComputeNodeOptions,
  { folders, coreNodes }: HostParts,
  cache: OpenFileCache,
  { manager: executions, admission, fences }: Pick<RunningExecutions, "manager" | "admission" | "fences">,
  shared: SharedSettings,
): OpenInstanceServices {
  const { settings, clock, timers, random, allowsPrivateSources } = options;
  const log = options.log.child({ part: "instances" });
  const common = { computeDir: folders.dir, executions, room: admission.claims, clock, timers, random, log };
  const disks = { cache, maxParentBytes: settings.storage.maxParentBytes };
  return {
    backups: new Backups({ ...common, backupDir: folders.backups }),
    restores: new Restores({ ...common, ...disks }),
    rescues: new Rescues({ ...common, ...disks, defaultImage: (signal) => shared.rescueImage(signal) }),
    confidential: new ConfidentialLaunches({ computeDir: folders.dir }),
    migrations: new Migrations({ ...common, fences, messages: coreNodes, allowsPrivateSources }),
  };
}
