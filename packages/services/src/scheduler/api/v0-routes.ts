import type { FastifyInstance } from "fastify";
import { staticGuestAddress } from "../inputs/guest-address.ts";
import type { NodeRecord } from "../model/node.ts";
import type { VmRecord } from "../model/vm.ts";
import type { PlanVm } from "../planner/plan-input.ts";
import { Query } from "./query.ts";
import type { ApiSources } from "./sources.ts";
import { timeText } from "./time-text.ts";

/** How long clients may take a plan for current. */
const PLAN_SECONDS = 3_600;
const MAX_VCPUS = 1_000_000;
const MAX_MIB = 1e12;

/** The routes under `/api/v0`. Source: aleph-sdk-python `client/services/scheduler.py`, front-aleph-cloud-page. */
export function addV0Routes(server: FastifyInstance, sources: ApiSources): void {
  const { store, lastPlanAtMs, planning } = sources;
  const period = () => ({ start_timestamp: timeText(lastPlanAtMs()), duration_seconds: PLAN_SECONDS });
  server.get("/api/v0/plan", () => ({ period: period(), plan: planView(store.vms.values()) }));
  server.get("/api/v0/nodes", () => ({
    nodes: [...store.nodes.values()]
      .filter(({ isRegistered, registration }) => isRegistered && registration.address !== null)
      .map(placeView),
  }));
  server.get<{ Params: { hash: string } }>("/api/v0/allocation/:hash", ({ params }, reply) => {
    const vm = store.vms.get(params.hash);
    const node = vm?.allocatedNode == null ? undefined : store.nodes.get(vm.allocatedNode);
    if (vm === undefined || node === undefined) return reply.code(404).send({ error: "VM not allocated" });
    return {
      vm_hash: vm.facts.vmHash,
      vm_type: vm.facts.kind,
      vm_ipv6: guestAddress(vm, node),
      period: period(),
      node: placeView(node),
    };
  });
  server.get("/api/v0/simulate", ({ query: raw }, reply) => {
    const query = new Query(raw);
    const { isSchedulable, reasons } = planning.simulate(plainInstance(query));
    return reply.code(isSchedulable ? 200 : 503).send({ schedulable: isSchedulable, reasons });
  });
}

function planView(vms: Iterable<VmRecord>) {
  const plan = new Map<string, { persistent: string[]; instances: string[] }>();
  for (const { facts, allocatedNode, intent } of vms) {
    if (allocatedNode === null || intent !== "scheduled") continue;
    const lists = plan.get(allocatedNode) ?? { persistent: [], instances: [] };
    plan.set(allocatedNode, lists);
    if (facts.kind === "persistent_program") lists.persistent.push(facts.vmHash);
    if (facts.kind === "instance") lists.instances.push(facts.vmHash);
  }
  return Object.fromEntries(
    [...plan].map(([nodeHash, { persistent, instances }]) => [
      nodeHash,
      { persistent_vms: persistent, instances, on_demand_vms: [], jobs: [] },
    ]),
  );
}

const placeView = ({ registration, capabilities }: NodeRecord) => ({
  node_id: registration.nodeHash,
  url: registration.address,
  ipv6: capabilities?.ipv6Pool ?? null,
  supports_ipv6: capabilities?.isIpv6Public ?? false,
});

/** What the node says, or what follows from its pool. */
function guestAddress(
  { facts, lastAddresses }: VmRecord,
  { observations, capabilities }: NodeRecord,
): string | null {
  const isListed = Object.hasOwn(observations, facts.vmHash);
  if (isListed && lastAddresses?.ipv6 != null) return lastAddresses.ipv6;
  const pool = capabilities?.ipv6Pool ?? null;
  if (pool === null || capabilities?.isIpv6Static !== true) return null;
  return staticGuestAddress(pool, facts.kind, facts.vmHash);
}

/** The machine that the question is about: neither pinned, nor confidential, nor with a GPU. */
function plainInstance(query: Query): PlanVm {
  const vcpus = query.integer("vcpus", { min: 1, max: MAX_VCPUS }) ?? 1;
  const memoryMib = query.integer("memory", { min: 1, max: MAX_MIB }) ?? 2_048;
  const diskMib = query.integer("disk", { min: 0, max: MAX_MIB }) ?? 20_480;
  return {
    facts: {
      vmHash: "0".repeat(64),
      kind: "instance",
      owner: "",
      sender: "",
      name: null,
      createdAtMs: 0,
      vcpus,
      memoryMib,
      diskMib,
      hypervisor: "qemu",
      confidential: null,
      cpu: { architecture: null, vendor: null, features: [] },
      gpus: [],
      node: { nodeHash: null, owner: null, addressRegex: null, termsAndConditions: null },
      payment: { type: "hold", receiver: null },
      hasData: true,
      vcpuTypes: [],
    },
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
  };
}
