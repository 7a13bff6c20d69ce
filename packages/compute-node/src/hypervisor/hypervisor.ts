import type { PortForward, VmSpec } from "./vm-spec.ts";

/** What starts and finds virtual machines. They outlive whoever started them. */
export interface Hypervisor {
  /** What this machine can do, and why not what it cannot: found once, by trying. */
  capabilities(): HypervisorCapabilities;
  /**
   * Starts the process of a machine; resolves when it runs (a resumed one: goes on), not when its guest answers.
   *
   * @throws HypervisorError
   */
  start(spec: VmSpec, signal: AbortSignal): Promise<RunningVm>;
  /** A machine that runs already, whoever started it; null when there is none. */
  find(vmHash: string, signal: AbortSignal): Promise<RunningVm | null>;
  /** Every machine of this node that has a process. */
  list(signal: AbortSignal): Promise<readonly VmProcess[]>;
  /** Removes the logs of a machine that has ended, its last trace here. @throws HypervisorError ALREADY_RUNNING */
  forget(vmHash: string, signal: AbortSignal): Promise<void>;
}

export interface HypervisorCapabilities {
  readonly accelerator: "kvm" | "tcg";
  /** Of every ability that is missing, the reason: `kvm: a guest did not boot within 20 s`. */
  readonly missing: Readonly<Record<string, string>>;
  /** Machines may be given a vsock device. */
  readonly hasVsock: boolean;
  /** Whether confidential machines run; not told: they do not. */
  readonly hasSev?: boolean;
  /** How much longer than on hardware a boot takes: deadlines are multiplied by it. */
  readonly slowness: number;
}

export interface VmProcess {
  readonly vmHash: string;
  readonly vmNumber: number;
  readonly pid: number;
  readonly startedAtMs: number;
  /** null: needs no renewal. */
  readonly leaseEndsAtMs: number | null;
}

/** Of how a machine ended. */
export interface VmExit {
  readonly reason: "guest-shutdown" | "stopped" | "killed" | "lease-expired" | "failed";
  /** What QEMU said last. */
  readonly detail: string;
}

/** A machine whose process runs. */
export interface RunningVm extends VmProcess {
  /**
   * Folder of its sockets: `qga.sock`, `channel-NAME.sock` (longer paths than the kernel takes are reached with
   * `connectUnix`); of its log `serial.log` (of at most 4 MiB, the part before in `serial.log.1`); and of `work`, the
   * only folder in which QEMU may make files and sockets: `work/NAME` in its own words. What lies there is untrusted.
   */
  readonly runDir: string;
  readonly exited: Promise<VmExit>;
  /** Asks the guest to shut down by ACPI; kills it after the time. */
  shutDown(graceMs: number, signal: AbortSignal): Promise<VmExit>;
  kill(): Promise<VmExit>;
  /** A hard reset: the guest boots anew, its process stays. */
  reset(signal: AbortSignal): Promise<void>;
  /** The lease runs for its full time from now on. */
  renewLease(signal: AbortSignal): Promise<void>;
  /** Saves a machine started as a template, and ends it. Its folder serves any number of resumed ones then. */
  saveTemplate(signal: AbortSignal): Promise<void>;
  /** Forwards of a machine on a user network, while it runs. */
  setForwards(forwards: readonly PortForward[], signal: AbortSignal): Promise<void>;
  /** One command of the QEMU machine protocol. */
  qmp<Result>(
    command: string,
    argumentsOf: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<Result>;
}
