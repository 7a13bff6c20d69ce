import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createMemoryLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import { createExecutions, type RunningExecutions } from "../../../src/executions/create-executions.ts";
import { openExecutionsDatabase } from "../../../src/executions/database.ts";
import { ExecutionStore } from "../../../src/executions/execution-store.ts";
import { HelperHypervisor } from "../../../src/hypervisor/helper-hypervisor.ts";
import { ImageError } from "../../../src/images/errors.ts";
import type { FileCache } from "../../../src/images/images.ts";
import { Backups } from "../../../src/instances/backups/backup-service.ts";
import { sha256OfFile } from "../../../src/instances/disks/sha256-of-file.ts";
import { InstanceRunner } from "../../../src/instances/instance-runner.ts";
import { Migrations } from "../../../src/instances/migration/migration-service.ts";
import { Rescues } from "../../../src/instances/rescue/rescue-service.ts";
import { Restores } from "../../../src/instances/restore/restore-service.ts";
import type { CoreNodeClient, VmMessage } from "../../../src/messages/core-node-client.ts";
import { checkAddressPools, DEFAULT_ADDRESS_POOLS } from "../../../src/networking/network-settings.ts";
import { createPortMappings } from "../../../src/networking/port-mappings.ts";
import { createTapNetworks } from "../../../src/networking/tap-networks.ts";
import { createUserNetworks } from "../../../src/networking/user-networks.ts";
import { createVmAddressBook } from "../../../src/networking/vm-address-book.ts";
import type { WantedPort } from "../../../src/networking/vm-network.ts";
import { IMAGES_FOLDER } from "../../images/support.ts";
import { endTestHost } from "../../support/end-test-host.ts";
import { tellAccelerator } from "../../support/tell-accelerator.ts";

const HELPER = fileURLToPath(new URL("./instance-helper.ts", import.meta.url));

export interface InstanceNodeOptions {
  readonly network: "tap" | "user";
  /** Files of the network, by the hash of their message. */
  readonly files: ReadonlyMap<string, string>;
  /** Beside port 22. */
  readonly ports?: readonly WantedPort[];
  /** What guests have to shut down by themselves, on hardware. */
  readonly shutDownMs?: number;
  /** Nodes of one test have ranges of their own. */
  readonly index?: number;
}

/** All of a compute node that instances need, on real QEMU; without the HTTP API. */
export interface InstanceNode extends AsyncDisposable {
  readonly dir: string;
  readonly executions: RunningExecutions;
  readonly runner: InstanceRunner;
  readonly backups: Backups;
  readonly restores: Restores;
  readonly rescues: Rescues;
  readonly migrations: Migrations;
  readonly hypervisor: HelperHypervisor;
  readonly messages: Map<string, VmMessage>;
  /** As after `kill -9`: nothing is ended in order, another node goes on with the folder. */
  abandon(): Promise<void>;
}

export async function startInstanceNode(
  options: InstanceNodeOptions,
  dir = mkdtempSync(join(tmpdir(), "node-")),
): Promise<InstanceNode> {
  chmodSync(dir, 0o711);
  const index = options.index ?? 0;
  const [clock, timers, random] = [createSystemClock(), createSystemTimers(), createSystemRandom()];
  const log = createMemoryLogger();
  const pools = checkAddressPools({ ...DEFAULT_ADDRESS_POOLS, ipv4Pool: `10.${226 + index}.0.0/16` });
  const database = openExecutionsDatabase(join(dir, "executions.sqlite3"));
  const hypervisor = await HelperHypervisor.open(
    {
      dir,
      command: { command: process.execPath, args: [HELPER, dir, IMAGES_FOLDER, `10.${226 + index}.0.0/16`] },
      timers,
      log,
    },
    AbortSignal.timeout(120_000),
  );
  tellAccelerator(hypervisor.capabilities().accelerator);
  const addressesOf = createVmAddressBook(pools, database);
  const networks =
    options.network === "tap"
      ? createTapNetworks(hypervisor.helper, addressesOf)
      : createUserNetworks({ addressesOf, hostAddress: "127.0.0.1" });
  const ports = createPortMappings({ database, clock, firstHostPort: 30_000 + 500 * index });
  const cache = fileCache(options.files);
  const disks = { computeDir: dir, cache, maxParentBytes: 10e9 };
  const runner = new InstanceRunner({
    ...disks,
    hypervisor,
    networks,
    ports,
    wantedPorts: async () => [{ guestPort: 22, tcp: true, udp: false }, ...(options.ports ?? [])],
    eraseBackups: (vmHash) => backups.removeAll(vmHash),
    settings: {
      dnsServers: ["9.9.9.9"],
      developerKeys: [],
      shutDownMs: options.shutDownMs ?? 5_000,
      leaseMs: null,
      diskBytesPerSecondPerVcpu: null,
    },
  });
  const store = new ExecutionStore(database, clock);
  const executions = createExecutions({
    store,
    hypervisor,
    runners: { program: runner, instance: runner },
    resolveFiles: async (content) => content,
    assertRequirements: () => {},
    networkOf: (vmHash) => runner.network(vmHash),
    portsOf: (vmHash) => ports.of(vmHash),
    admission: {
      host: { cpus: 4, memoryMib: 16_384 },
      settings: {
        hostMemoryReservedMib: null,
        programMemoryReservedMib: null,
        vcpuOvercommit: 4,
        diskReservedMib: 0,
      },
      measureDisk: async () => ({ totalMib: 100_000, freeMib: 50_000, usedMib: new Map() }),
    },
    clock,
    timers,
    log,
    settings: {
      limits: {
        prepareTimeoutMs: 600_000,
        startTimeoutMs: 240_000,
        stopTimeoutMs: 240_000,
        eraseTimeoutMs: 60_000,
      },
      maxParallelStarts: 2,
      contactMaxAgeMs: 15_000,
      leaseMs: 20_000,
      leaseRenewalPeriodMs: 5_000,
      takenOverAfterMs: 600_000,
      recordRetentionMs: 86_400_000,
      stoppedRetentionMs: 86_400_000,
      idleProgramRetentionMs: 86_400_000,
    },
  });
  const messages = new Map<string, VmMessage>();
  const { manager } = executions;
  const room = executions.admission.claims;
  const common = { computeDir: dir, executions: manager, room, clock, timers, random, log };
  const backups = new Backups({ ...common, backupDir: join(dir, "backups") });
  const restores = new Restores({ ...disks, ...common });
  const rescues = new Rescues({ ...disks, ...common, defaultImage: async () => null });
  const coreNodes = {
    vmMessage: async (hash: string) => messages.get(hash) ?? null,
  } as unknown as CoreNodeClient;
  const migrations = new Migrations({
    ...common,
    fences: executions.fences,
    messages: coreNodes,
    allowsPrivateSources: true,
  });
  executions.contact.note("core-node");
  await executions.reconcile(AbortSignal.timeout(120_000));
  await backups.start();
  await migrations.start();
  const close = async (): Promise<void> => {
    await backups.close();
    await rescues.close();
    await migrations.close();
    await executions.close();
    hypervisor[Symbol.dispose]();
    database.close();
  };
  return {
    dir,
    executions,
    runner,
    backups,
    restores,
    rescues,
    migrations,
    hypervisor,
    messages,
    abandon: close,
    async [Symbol.asyncDispose]() {
      const signal = AbortSignal.timeout(120_000);
      for (const { vmHash } of manager.list()) await manager.erase(vmHash, null, signal);
      await close();
      await endTestHost(dir);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function fileCache(files: ReadonlyMap<string, string>): FileCache {
  return {
    async acquire(storeHash, _options, signal) {
      const path = files.get(storeHash);
      if (path === undefined) throw new ImageError("FILE_NOT_FOUND", `there is no file ${storeHash}`);
      const { size: sizeBytes } = await stat(path);
      return { path, sizeBytes, sha256: await sha256OfFile(path, signal), release: () => {} };
    },
  };
}
