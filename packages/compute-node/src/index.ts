/** The Compute Resource Node: functions and instances in virtual machines of this host. */

export {
  type AllocationSettings,
  type CheckSettings,
  type ComputeSettings,
  DEFAULT_COMPUTE_SETTINGS,
  type FunctionLimits,
  type IdentitySettings,
  type LeaseSettings,
  type NetworkSettings,
  type PaymentSettings,
  REFERENCE_VERSION,
  type RetentionSettings,
  type StartSettings,
  type StorageSettings,
} from "./compute-settings.ts";
export { diagnosticContent, readDiagnosticProgram } from "./control/checks/diagnostic-program.ts";
export { type DiagnoseOptions, diagnose } from "./doctor/diagnose.ts";
export type { Finding } from "./doctor/finding.ts";
export { tryHost } from "./doctor/try-host.ts";
export { ExecutionError, type ExecutionErrorCode } from "./executions/errors.ts";
export type { DesiredState, Execution, ExecutionReason, ExecutionState } from "./executions/execution.ts";
export { endHost } from "./helper/end-host.ts";
export { defaultHelperSettings, type HelperSettings, helperArguments } from "./helper/helper-settings.ts";
export type { HelperCalls, HostPart, InventoryEntry } from "./helper/host-parts.ts";
export type { Inventory } from "./helper/inventory.ts";
export { type HelperSurroundings, inspectHost, runHelper } from "./helper/run-helper.ts";
export type { RunningHelper } from "./helper/start-helper.ts";
export { HypervisorError, type HypervisorErrorCode } from "./hypervisor/errors.ts";
export { HelperHypervisor, type HelperHypervisorOptions } from "./hypervisor/helper-hypervisor.ts";
export type {
  Hypervisor,
  HypervisorCapabilities,
  RunningVm,
  VmExit,
  VmProcess,
} from "./hypervisor/hypervisor.ts";
export type { DriveSpec, NetworkSpec, PortForward, VmSpec } from "./hypervisor/vm-spec.ts";
export {
  buildImages,
  IMAGE_NAMES,
  type ImageName,
  type PublishableImage,
} from "./images/build/build-images.ts";
export type { BuildOptions } from "./images/build/build-tool.ts";
export { tinyDisk } from "./images/build/tiny-guest.ts";
export { ImageError, type ImageErrorCode } from "./images/errors.ts";
export { defaultImagesFolder } from "./images/images-folder.ts";
export { type PublishedImage, type PublishOptions, publishImages } from "./images/publish-images.ts";
export type { CommunityShare, StreamReader } from "./payments/streams.ts";
export type { ComputeNodeOptions, RunningComputeNode } from "./start/compute-node-options.ts";
export { startComputeNode } from "./start-compute-node.ts";
