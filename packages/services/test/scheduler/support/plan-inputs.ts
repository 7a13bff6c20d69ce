import { createHash } from "node:crypto";
import fc from "fast-check";
import type { PlanInput, PlanNode, PlanVm } from "../../../src/scheduler/planner/plan-input.ts";
import { defaultSchedulerSettings } from "../../../src/scheduler/settings.ts";

export const NOW_MS = 1_800_000_000_000;
export const hash = (label: string): string => createHash("sha256").update(label).digest("hex");

/** Members of members may be given alone. */
export type Partially<Value> = { readonly [Key in keyof Value]?: Value[Key] | undefined };

export function planVm(
  label: string,
  facts: Partially<PlanVm["facts"]> = {},
  more: Partial<PlanVm> = {},
): PlanVm {
  return {
    facts: {
      vmHash: hash(label),
      kind: "instance",
      owner: "0xOwner",
      sender: "0xOwner",
      name: label,
      createdAtMs: NOW_MS - 1_000,
      vcpus: 1,
      memoryMib: 2_048,
      diskMib: 20_480,
      hypervisor: "qemu",
      confidential: null,
      cpu: { architecture: null, vendor: null, features: [] },
      gpus: [],
      node: { nodeHash: null, owner: null, addressRegex: null, termsAndConditions: null },
      payment: { type: "credit", receiver: null },
      hasData: true,
      vcpuTypes: [],
      ...facts,
    } as PlanVm["facts"],
    wishes: null,
    isLive: true,
    endReason: null,
    intent: "unknown",
    allocatedNode: null,
    allocatedAtMs: null,
    isObservedSinceAllocation: false,
    hasRunSinceAllocation: false,
    observedOn: [],
    missing: null,
    paymentStatus: null,
    refusals: [],
    migrationTarget: null,
    migrationNotBeforeMs: null,
    isUnmigratable: false,
    fencedAtMs: 0,
    ...more,
  };
}

/** A program that is lost with nothing. */
export const planProgram = (label: string, more: Partial<PlanVm> = {}): PlanVm =>
  planVm(
    label,
    { kind: "persistent_program", hypervisor: null, hasData: false, memoryMib: 128, diskMib: 0 },
    more,
  );

/** A machine that runs where it is allocated. */
export const runningOn = (node: string): Partial<PlanVm> => ({
  intent: "scheduled",
  allocatedNode: hash(node),
  allocatedAtMs: NOW_MS - 3_600_000,
  isObservedSinceAllocation: true,
  hasRunSinceAllocation: true,
  observedOn: [hash(node)],
});

export function planNode(label: string, more: Partial<PlanNode> = {}): PlanNode {
  return {
    registration: {
      nodeHash: hash(label),
      name: label,
      owner: "0xNodeOwner",
      address: `https://${label}.example.org/`,
      isLinked: true,
      score: 0.9,
      streamReward: null,
      termsAndConditions: null,
    },
    isRegistered: true,
    status: "Healthy",
    unlinkedSinceMs: null,
    zeroScoreSinceMs: null,
    report: {
      vcpus: 8,
      memoryMib: 65_536,
      diskMib: 1_000_000,
      freeDiskMib: 900_000,
      cpuArchitecture: "x86_64",
      cpuVendor: "AuthenticAMD",
      cpuFeatures: [],
      gpus: [],
      freeGpus: [],
      headroom: null,
      vcpuTypes: [],
      country: null,
      asn: null,
    },
    capabilities: {
      hasConfidential: false,
      hasQemu: true,
      hasGpu: false,
      ipv6Pool: "2a01:4f8:1:2::/64",
      isIpv6Public: true,
      isIpv6Static: true,
      paymentReceiver: null,
      version: "1.13.0",
      priceFactor: null,
    },
    isRefusing: false,
    isDrained: false,
    isMigrating: false,
    lastProofMs: NOW_MS - 1_000,
    fencedAtMs: NOW_MS + 41_000,
    secondOpinion: null,
    ...more,
  };
}

export const planInput = (
  vms: readonly PlanVm[],
  nodes: readonly PlanNode[],
  more: Partial<PlanInput> = {},
): PlanInput => ({
  nowMs: NOW_MS,
  settings: defaultSchedulerSettings,
  vms,
  nodes,
  recentFailovers: [],
  ...more,
});

const nodeLabel = fc.constantFrom("n1", "n2", "n3", "n4", "n5", "n6");

const anyNode = (label: string): fc.Arbitrary<PlanNode> =>
  fc
    .record({
      status: fc.constantFrom(
        "Healthy" as const,
        "Healthy" as const,
        "Unreachable" as const,
        "Unknown" as const,
      ),
      isLinked: fc.boolean(),
      vcpus: fc.integer({ min: 1, max: 4 }),
      memoryMib: fc.integer({ min: 2_048, max: 16_384 }),
      isPublic: fc.boolean(),
      isDrained: fc.boolean(),
      isSilent: fc.boolean(),
      isFenced: fc.boolean(),
      owner: fc.constantFrom("0xA", "0xB"),
    })
    .map(({ status, isLinked, vcpus, memoryMib, isPublic, isDrained, isSilent, isFenced, owner }) => {
      const node = planNode(label);
      return {
        ...node,
        registration: { ...node.registration, isLinked, owner },
        status,
        isDrained,
        unlinkedSinceMs: isLinked ? null : NOW_MS - 400_000,
        report: node.report === null ? null : { ...node.report, vcpus, memoryMib },
        capabilities: node.capabilities === null ? null : { ...node.capabilities, isIpv6Public: isPublic },
        lastProofMs: isSilent ? NOW_MS - 1_000_000 : NOW_MS - 1_000,
        fencedAtMs: isFenced ? NOW_MS - 1 : NOW_MS + 41_000,
      };
    });

const anyVm = (label: string): fc.Arbitrary<PlanVm> =>
  fc
    .record({
      isProgram: fc.boolean(),
      isLive: fc.boolean(),
      node: fc.option(nodeLabel),
      isSeen: fc.boolean(),
      pin: fc.option(nodeLabel, { freq: 5 }),
      vcpus: fc.integer({ min: 1, max: 6 }),
      memoryMib: fc.integer({ min: 128, max: 8_192 }),
      owner: fc.constantFrom("0x1", "0x2"),
      apart: fc.boolean(),
      fencedAtMs: fc.constantFrom(0, NOW_MS + 1, null),
    })
    .map(({ isProgram, isLive, node, isSeen, pin, vcpus, memoryMib, owner, apart, fencedAtMs }) => {
      const allocated = node === null ? {} : runningOn(node);
      const base = isProgram ? planProgram(label) : planVm(label);
      return {
        ...base,
        facts: {
          ...base.facts,
          owner,
          vcpus,
          memoryMib,
          node: { ...base.facts.node, nodeHash: pin === null ? null : hash(pin) },
        },
        isLive,
        fencedAtMs,
        endReason: isLive ? null : ("deleted" as const),
        ...allocated,
        ...(node !== null && !isSeen
          ? { observedOn: [], isObservedSinceAllocation: false, hasRunSinceAllocation: false }
          : {}),
        wishes: apart
          ? {
              spreadWith: [hash("v1")],
              countries: [],
              excludedAsns: [],
              hasColdRestart: false,
              maxPriceFactor: null,
            }
          : null,
      };
    });

/** Networks of all kinds of trouble. */
export const anyPlanInput: fc.Arbitrary<PlanInput> = fc
  .record({
    nodes: fc.tuple(...["n1", "n2", "n3", "n4", "n5", "n6"].map(anyNode)),
    vms: fc.tuple(...Array.from({ length: 12 }, (_value, index) => anyVm(`v${index}`))),
  })
  .map(({ nodes, vms }) => planInput(vms, nodes));
