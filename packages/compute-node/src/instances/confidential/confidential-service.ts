import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type ConfidentialService,
  InstanceServiceError,
  type LaunchMeasurement,
  type LaunchSecret,
} from "../../control/instance-services.ts";
import type { Execution } from "../../executions/execution.ts";
import type { RunningVm } from "../../hypervisor/hypervisor.ts";
import { runTool } from "../../processes/run-tool.ts";
import { exists } from "../../volumes/file-exists.ts";
import { vmFolder } from "../disks/vm-folder.ts";
import { keepLaunchSession, type LaunchSession } from "./launch-session.ts";

export interface ConfidentialServices {
  readonly computeDir: string;
}

interface SevInfo {
  readonly enabled: boolean;
  readonly "api-major": number;
  readonly "api-minor": number;
  readonly "build-id": number;
  readonly policy: number;
  readonly state: string;
  readonly handle: number;
}

/** Sessions, measures and secrets of confidential instances, over the protocol of QEMU (`qapi/misc-target.json`). */
export class ConfidentialLaunches implements ConfidentialService {
  readonly #computeDir: string;

  constructor({ computeDir }: ConfidentialServices) {
    this.#computeDir = computeDir;
  }

  async keepSession({ vmHash }: Execution, launch: LaunchSession): Promise<void> {
    await keepLaunchSession(vmFolder(this.#computeDir, vmHash), launch);
  }

  async measure(vm: RunningVm, signal: AbortSignal): Promise<LaunchMeasurement> {
    const info = await vm.qmp<SevInfo>("query-sev", {}, signal);
    const { data } = await vm.qmp<{ readonly data: string }>("query-sev-launch-measure", {}, signal);
    const sevInfo = {
      enabled: info.enabled,
      api_major: info["api-major"],
      api_minor: info["api-minor"],
      build_id: info["build-id"],
      policy: info.policy,
      state: info.state,
      handle: info.handle,
    };
    return { sevInfo, launchMeasure: data };
  }

  async inject(vm: RunningVm, { packetHeader, secret }: LaunchSecret, signal: AbortSignal): Promise<object> {
    const { running } = await vm.qmp<{ readonly running: boolean }>("query-status", {}, signal);
    if (running) throw new InstanceServiceError("BUSY", "the machine has its secret, and goes on already");
    await vm.qmp("sev-inject-launch-secret", { "packet-header": packetHeader, secret }, signal);
    await vm.qmp("cont", {}, signal);
    return vm.qmp<object>("query-status", {}, signal);
  }

  /** Made once: they stay while the processor does. */
  async certificates(signal: AbortSignal): Promise<Buffer> {
    const path = join(this.#computeDir, "sev-certificates.cert");
    if (!(await exists(path))) {
      const partial = `${path}.new`;
      await rm(partial, { force: true });
      await runTool("sevctl", ["export", partial], { signal });
      await rename(partial, path);
    }
    return readFile(path);
  }
}
