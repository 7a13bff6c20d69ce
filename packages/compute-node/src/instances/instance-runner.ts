import { mkdir, rm } from "node:fs/promises";
import { encodeBase32, type InstanceContent } from "@twentysix/protocol";
import { isConfidential } from "../executions/confidential.ts";
import { ExecutionError } from "../executions/errors.ts";
import type { Execution } from "../executions/execution.ts";
import type { StartWay } from "../executions/start-way.ts";
import type { VmRunner } from "../executions/vm-runner.ts";
import { diskRate } from "../hypervisor/disk-rate.ts";
import type { Hypervisor, RunningVm } from "../hypervisor/hypervisor.ts";
import type { DriveSpec, VmSpec } from "../hypervisor/vm-spec.ts";
import type { PortMappings, VmNetwork, VmNetworkRequest, VmNetworks } from "../networking/vm-network.ts";
import { metaData } from "./cloud-init/meta-data.ts";
import { networkConfig } from "./cloud-init/network-config.ts";
import { writeSeedImage } from "./cloud-init/seed-image.ts";
import { userData } from "./cloud-init/user-data.ts";
import { ensureFirmware } from "./confidential/firmware.ts";
import { confidentialSpec, forgetLaunchSession, hasLaunchSession } from "./confidential/launch-session.ts";
import { backingImage } from "./disks/backing-image.ts";
import { ensureDataDisks, expectPossible, persistentDisks } from "./disks/data-disks.ts";
import { ensureRootDisk, type RootDiskServices } from "./disks/root-disk.ts";
import { removeLeftovers, removeUnusedParents } from "./disks/unused-parents.ts";
import { vmFolder } from "./disks/vm-folder.ts";

export interface InstanceSettings {
  /** Resolvers that guests are told of. */
  readonly dnsServers: readonly string[];
  /** Keys of the operator that every instance takes, beside its owner's: for development alone. */
  readonly developerKeys: readonly string[];
  /** What a guest has to shut down by itself, on hardware. */
  readonly shutDownMs: number;
  /** null: a machine runs on without its node. */
  readonly leaseMs: number | null;
  /** null: disks are not limited. */
  readonly diskBytesPerSecondPerVcpu: number | null;
}

export interface InstanceServices extends RootDiskServices {
  readonly computeDir: string;
  readonly hypervisor: Hypervisor;
  readonly networks: VmNetworks;
  readonly ports: PortMappings;
  /** Ports of the guest that its owner wants to be reached. */
  readonly wantedPorts: (execution: Execution, signal: AbortSignal) => Promise<WantedPorts>;
  /** Backups go with their machine. */
  readonly eraseBackups: (vmHash: string) => Promise<void>;
  readonly settings: InstanceSettings;
  readonly onStarted?: ((way: StartWay) => void) | undefined;
}

export type WantedPorts = Parameters<PortMappings["assign"]>[1];

/** Translated code of up to 256 MiB among it, where guests are emulated. */
const QEMU_OVERHEAD_MIB = 512;
const QEMU_THREADS = 256;

/** Machines that boot from a disk of their own. */
export class InstanceRunner implements VmRunner {
  readonly #services: InstanceServices;
  readonly #networks = new Map<string, VmNetwork>();
  readonly #dataDisks = new Map<string, readonly DriveSpec[]>();

  constructor(services: InstanceServices) {
    this.#services = services;
  }

  /** null: it does not run. */
  network(vmHash: string): VmNetwork | null {
    return this.#networks.get(vmHash) ?? null;
  }

  async prepare(execution: Execution, signal: AbortSignal): Promise<void> {
    const content = instanceContent(execution);
    expectSupported(content);
    const folder = vmFolder(this.#services.computeDir, execution.vmHash);
    expectPossible(content.volumes);
    const isNew = (await mkdir(folder.path, { recursive: true, mode: 0o750 })) !== undefined;
    try {
      await ensureRootDisk(folder, content.rootfs, this.#services, signal);
      const tee = content.environment.trusted_execution;
      if (tee !== null) await ensureFirmware(folder, tee.firmware, this.#services, signal);
      const disks = await ensureDataDisks(folder, content.volumes, this.#services, signal);
      await removeLeftovers(folder, execution.mode);
      await removeUnusedParents(folder);
      this.#dataDisks.set(execution.vmHash, disks);
    } catch (error) {
      // Nobody has written to them yet.
      if (isNew) await rm(folder.path, { recursive: true, force: true });
      throw error;
    }
  }

  async awaitsOwner(execution: Execution): Promise<boolean> {
    if (!isConfidential(execution.resolved)) return false;
    return !(await hasLaunchSession(vmFolder(this.#services.computeDir, execution.vmHash)));
  }

  async start(execution: Execution, signal: AbortSignal): Promise<RunningVm> {
    const { hypervisor, networks, ports, wantedPorts } = this.#services;
    const wanted = await wantedPorts(execution, signal);
    const mappedPorts = await ports.assign(execution.vmHash, wanted, { replacesTaken: true });
    const request = networkRequest(execution, mappedPorts);
    const network = await networks.create(request, signal);
    try {
      await this.#writeSeed(execution, network, signal);
      const vm = await hypervisor.start(await this.#specOf(execution, network), signal);
      this.#networks.set(execution.vmHash, network);
      this.#services.onStarted?.("booted");
      return vm;
    } catch (error) {
      await networks.remove(execution.vmNumber, AbortSignal.timeout(CLEAN_UP_MS));
      throw error;
    } finally {
      // QEMU has read it; the next start takes a new one.
      if (isConfidential(execution.resolved))
        await forgetLaunchSession(vmFolder(this.#services.computeDir, execution.vmHash));
    }
  }

  async adopt(execution: Execution, _vm: RunningVm, signal: AbortSignal): Promise<boolean> {
    const { networks, ports, computeDir } = this.#services;
    await removeLeftovers(vmFolder(computeDir, execution.vmHash), execution.mode);
    const request = networkRequest(execution, ports.of(execution.vmHash));
    this.#networks.set(execution.vmHash, await networks.create(request, signal));
    this.#services.onStarted?.("adopted");
    return true;
  }

  async stop(execution: Execution, vm: RunningVm | null, signal: AbortSignal): Promise<void> {
    const { hypervisor, networks, settings } = this.#services;
    if (vm !== null) {
      await vm.shutDown(settings.shutDownMs * hypervisor.capabilities().slowness, signal);
    }
    await networks.remove(execution.vmNumber, signal);
    this.#networks.delete(execution.vmHash);
  }

  async wipe(execution: Execution, { erasesVolumes }: { readonly erasesVolumes: boolean }): Promise<void> {
    const folder = vmFolder(this.#services.computeDir, execution.vmHash);
    await rm(folder.rootfs, { force: true });
    if (!erasesVolumes) return;
    for (const { path } of persistentDisks(folder, instanceContent(execution).volumes)) {
      await rm(path, { force: true });
    }
  }

  async erase({ vmHash }: Execution, signal: AbortSignal): Promise<void> {
    const { computeDir, hypervisor, ports, eraseBackups } = this.#services;
    this.#dataDisks.delete(vmHash);
    await rm(vmFolder(computeDir, vmHash).path, { recursive: true, force: true });
    await eraseBackups(vmHash);
    await hypervisor.forget(vmHash, signal);
    ports.release(vmHash);
  }

  async #writeSeed(execution: Execution, network: VmNetwork, signal: AbortSignal): Promise<void> {
    const { settings, computeDir } = this.#services;
    const content = instanceContent(execution);
    const hostName = encodeBase32(Buffer.from(execution.vmHash, "hex"));
    const networkText = networkConfig(network, settings.dnsServers);
    const authorizedKeys = [...(content.authorized_keys ?? []), ...settings.developerKeys];
    const extension = isConfidential(content) ? "confidential" : "none";
    const files = {
      userData: userData({ hostName, authorizedKeys, extension }),
      metaData: metaData(execution.vmHash, hostName, networkText),
      networkConfig: networkText,
    };
    await writeSeedImage(vmFolder(computeDir, execution.vmHash).seedImage, files, signal);
  }

  async #specOf(execution: Execution, network: VmNetwork): Promise<VmSpec> {
    const { computeDir, settings } = this.#services;
    const { resources, environment } = instanceContent(execution);
    const { trusted_execution: tee } = environment;
    const folder = vmFolder(computeDir, execution.vmHash);
    const rescue = execution.mode === "rescue" ? [await overlayDrive(folder.rescueRootfs)] : [];
    const data = await Promise.all((this.#dataDisks.get(execution.vmHash) ?? []).map(withBacking));
    return {
      vmHash: execution.vmHash,
      vmNumber: execution.vmNumber,
      machine: "q35",
      vcpus: resources.vcpus,
      memoryMib: resources.memory,
      kernel: null,
      drives: [
        ...rescue,
        await overlayDrive(folder.rootfs),
        ...data,
        { path: folder.seedImage, format: "raw", isReadOnly: true, media: "cdrom" },
      ],
      network: network.spec,
      channels: [],
      hasVsock: false,
      snapshot: null,
      confidential: tee === null ? null : confidentialSpec(folder, tee.policy),
      leaseMs: settings.leaseMs,
      limits: {
        overheadMib: QEMU_OVERHEAD_MIB,
        maxProcesses: QEMU_THREADS,
        diskBytesPerSecond: diskRate(settings.diskBytesPerSecondPerVcpu, resources),
      },
    };
  }
}

const CLEAN_UP_MS = 30_000;

const overlayDrive = (path: string): Promise<DriveSpec> =>
  withBacking({ path, format: "qcow2", isReadOnly: false, media: "disk" });

/** With the image that the disk stands on: a machine is given nothing that nobody names. */
async function withBacking(drive: DriveSpec): Promise<DriveSpec> {
  return drive.format === "qcow2" ? { ...drive, backing: await backingImage(drive.path) } : drive;
}

const networkRequest = (
  { vmHash, vmNumber, content }: Execution,
  mappedPorts: VmNetworkRequest["mappedPorts"],
): VmNetworkRequest => ({
  vmHash,
  vmNumber,
  kind: "instance",
  hasInternet: content.environment.internet,
  mappedPorts,
});

export function instanceContent({ resolved, vmHash }: Execution): InstanceContent {
  if ("rootfs" in resolved) return resolved;
  throw new ExecutionError("UNSUPPORTED", `${vmHash} is no instance`);
}

/** @throws ExecutionError UNSUPPORTED */
function expectSupported({ environment, requirements }: InstanceContent): void {
  const mode = environment.trusted_execution?.mode ?? null;
  if (mode !== null && mode !== "sev") {
    throw unsupported(`confidential instances run by AMD SEV here, not by ${mode}: choose another node`);
  }
  if (environment.hypervisor === "firecracker") {
    throw unsupported('hypervisor "firecracker" is not offered: publish the instance with "qemu"');
  }
  if ((requirements?.gpu ?? []).length > 0)
    throw unsupported("this node has no GPU to give: choose another node");
}

const unsupported = (message: string): ExecutionError => new ExecutionError("UNSUPPORTED", message);
