import {
  type ContentSwitches,
  type InstanceContent,
  isImmutableVolume,
  isPersistentVolume,
  type MachineVolume,
  type ProgramContent,
  type TrustedExecution,
  type VProgramContent,
  validateContent,
} from "@twentysix/protocol";
import type { MessageObject } from "@twentysix/sdk";
import type { ConfidentialMode, VmFacts } from "../model/vm.ts";

/** What one message says of a machine, and which earlier one it revises. */
export interface VmVersion {
  readonly itemHash: string;
  readonly replaces: string | null;
  /** false: a program that runs on demand, as a revision may make of a persistent one. */
  readonly isPlaced: boolean;
  readonly facts: VmFacts;
}

/** null: it is no machine, or one that cannot be read. */
export function readVmVersion(message: MessageObject, switches: ContentSwitches): VmVersion | null {
  switch (message.type) {
    case "INSTANCE": {
      const result = validateContent("INSTANCE", message.content ?? null, switches);
      return result.ok ? version(message, result.content, instanceFacts(result.content)) : null;
    }
    case "PROGRAM": {
      const result = validateContent("PROGRAM", message.content ?? null, switches);
      if (!result.ok) return null;
      const { content } = result;
      const isPlaced = content.on.persistent === true;
      return { ...version(message, content, programFacts(content)), isPlaced };
    }
    case "V-PROGRAM": {
      const result = validateContent("V-PROGRAM", message.content ?? null, switches);
      return result.ok ? version(message, result.content, verifiableFacts(result.content)) : null;
    }
    default:
      return null;
  }
}

type Content = InstanceContent | ProgramContent | VProgramContent;
type OwnFacts = Pick<VmFacts, "kind" | "diskMib" | "hypervisor" | "confidential" | "hasData" | "vcpuTypes">;

function version(message: MessageObject, content: Content, own: OwnFacts): VmVersion {
  const { requirements, payment, resources, metadata } = content;
  const name = metadata?.name;
  return {
    itemHash: message.item_hash,
    replaces: content.replaces,
    isPlaced: true,
    facts: {
      ...own,
      vmHash: message.item_hash,
      owner: content.address,
      sender: message.sender,
      name: typeof name === "string" ? name : null,
      createdAtMs: Math.round(message.time * 1_000),
      vcpus: resources.vcpus,
      memoryMib: resources.memory,
      cpu: {
        architecture: requirements?.cpu?.architecture ?? null,
        vendor: requirements?.cpu?.vendor ?? null,
        features: requirements?.cpu?.features ?? [],
      },
      gpus: (requirements?.gpu ?? []).map((gpu) => ({
        vendor: gpu.vendor,
        model: "",
        deviceName: gpu.device_name,
        deviceClass: gpu.device_class,
        deviceId: gpu.device_id,
      })),
      node: {
        nodeHash: requirements?.node?.node_hash ?? null,
        owner: requirements?.node?.owner ?? null,
        addressRegex: requirements?.node?.address_regex ?? null,
        termsAndConditions: requirements?.node?.terms_and_conditions ?? null,
      },
      payment: { type: payment?.type ?? "hold", receiver: payment?.receiver ?? null },
    },
  };
}

function instanceFacts({ environment, rootfs, volumes }: InstanceContent): OwnFacts {
  return {
    kind: "instance",
    diskMib: rootfs.size_mib + volumesMib(volumes),
    hypervisor: environment.hypervisor ?? "qemu",
    confidential: environment.trusted_execution === null ? null : modeOf(environment.trusted_execution),
    hasData: true,
    vcpuTypes: [],
  };
}

function programFacts({ volumes }: ProgramContent): OwnFacts {
  return {
    kind: "persistent_program",
    diskMib: volumesMib(volumes),
    hypervisor: null,
    confidential: null,
    hasData: volumes.some((volume) => isPersistentVolume(volume) && volume.persistence === "host"),
    vcpuTypes: [],
  };
}

function verifiableFacts({ verification }: VProgramContent): OwnFacts {
  return {
    kind: "v_program",
    diskMib: 0,
    hypervisor: null,
    confidential: "sev_snp",
    hasData: false,
    vcpuTypes: verification.measurements.map(({ vcpu_type }) => vcpu_type ?? "EPYC"),
  };
}

const volumesMib = (volumes: readonly MachineVolume[]): number =>
  volumes.reduce((sum, volume) => (isImmutableVolume(volume) ? sum : sum + volume.size_mib), 0);

const SEV_ES_BIT = 4n;

function modeOf({ mode, policy }: TrustedExecution): ConfidentialMode {
  if (mode === "sev_snp" || mode === "tdx") return mode;
  return (BigInt(policy) & SEV_ES_BIT) === 0n ? "sev" : "sev_es";
}
