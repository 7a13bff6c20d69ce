import type { Logger, Timers } from "@twentysix/platform";
import type { HostPart } from "./host-parts.ts";
import type { HostAbilities } from "./host-probe.ts";
import type { LeaseWatchdog } from "./lease-watchdog.ts";
import type { MachineRecords } from "./machine-record.ts";
import type { MachineUsers } from "./machine-user.ts";
import type { FileRules } from "./open-file.ts";
import type { NodeUser } from "./run-folder.ts";
import type { UserInternetSettings } from "./user-internet/namespace-files.ts";

/** What all of the helper works with. */
export interface HelperContext {
  readonly dir: string;
  readonly rules: FileRules;
  readonly node: NodeUser;
  /** Machines get users of their own; otherwise they run as the helper's. */
  readonly isRoot: boolean;
  readonly machineUsers: MachineUsers;
  readonly qemuProgram: string;
  /** Found by trying, which takes a while the first time. */
  abilities(signal: AbortSignal): Promise<HostAbilities>;
  readonly parts: readonly HostPart[];
  /** Of machines on QEMU's own network; `problem` says why they get no internet, null where they do. */
  readonly userInternet: UserInternetSettings & { readonly problem: string | null };
  /** The program that is the vsock device of a machine; `problem` says why there is none, null where there is. */
  readonly vsock: { readonly program: string; readonly problem: string | null };
  readonly records: MachineRecords;
  readonly leases: LeaseWatchdog;
  readonly timers: Timers;
  readonly log: Logger;
  /** Unix time in milliseconds. */
  nowMs(): number;
}
