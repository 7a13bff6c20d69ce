import { matchesAddress } from "./address-regex.ts";
import { type Exclusion, exclusion } from "./exclusion.ts";
import type { NodeRoom } from "./node-room.ts";
import type { PlanInput, PlanNode, PlanVm } from "./plan-input.ts";

/** What the rules look at beside the machine and the node. */
export interface RuleContext {
  readonly nowMs: number;
  readonly settings: PlanInput["settings"];
}

type Rule = (vm: PlanVm, node: PlanNode, context: RuleContext) => Exclusion | null;

/** Rule 1: the node takes machines at all. */
const availability: Rule = (_vm, node) => {
  if (!node.isRegistered) return exclusion(1, "not_registered", "not in the registry");
  if (!node.registration.isLinked) return exclusion(1, "not_linked", "not linked");
  if (node.status === "Unreachable") return exclusion(1, "unreachable", "unreachable");
  if (node.status !== "Healthy") return exclusion(1, "not_polled", "not polled yet");
  if (node.registration.address === null) return exclusion(1, "no_address", "without an address");
  if (node.isDrained) return exclusion(1, "draining", "being emptied");
  return node.isRefusing ? exclusion(1, "refuses_scheduler", "does not accept this scheduler") : null;
};

/** Rule 2: the message names the node, its owner, its address or its terms. */
const pin: Rule = ({ facts }, { registration }) => {
  const { nodeHash, owner, addressRegex, termsAndConditions } = facts.node;
  if (nodeHash !== null && nodeHash !== registration.nodeHash) {
    return exclusion(2, "other_node_wanted", "not the node that the message names");
  }
  if (owner !== null && !isSameAddress(owner, registration.owner)) {
    return exclusion(2, "other_owner_wanted", "of another owner than the message names");
  }
  if (addressRegex !== null) {
    const matches = matchesAddress(addressRegex, registration.address ?? "");
    if (matches === null) {
      return exclusion(2, "address_mismatch", "not comparable: address_regex uses look-around or references");
    }
    if (!matches)
      return exclusion(2, "address_mismatch", "with an address that address_regex does not match");
  }
  if (termsAndConditions === null || termsAndConditions === registration.termsAndConditions) return null;
  return exclusion(2, "terms_mismatch", "with other terms and conditions");
};

/** Rule 3. Source: network-dashboard and aleph-testnets, the one hard gate of the reference. */
const publicIpv6: Rule = ({ facts }, { capabilities }, { settings }) => {
  if (facts.kind === "persistent_program" || !settings.requiresPublicIpv6) return null;
  return capabilities?.isIpv6Public === true ? null : exclusion(3, "no_public_ipv6", "no public IPv6");
};

const hypervisor: Rule = ({ facts }, { capabilities }) =>
  facts.hypervisor === "qemu" && capabilities?.hasQemu !== true ? exclusion(4, "no_qemu", "no QEMU") : null;

const confidential: Rule = ({ facts }, { capabilities, report }) => {
  const needed = facts.confidential;
  if (needed === null) return null;
  if (capabilities?.hasConfidential !== true) {
    return exclusion(5, "no_confidential", "no confidential computing");
  }
  if (!hasFeature(report?.cpuFeatures ?? [], needed)) return exclusion(5, "no_confidential", `no ${needed}`);
  if (facts.kind !== "v_program") return null;
  const types = (report?.vcpuTypes ?? []).map((type) => type.toLowerCase());
  if (facts.vcpuTypes.some((type) => types.includes(type.toLowerCase()))) return null;
  return exclusion(5, "no_confidential", "no processor that is measured");
};

const cpu: Rule = ({ facts }, { report }) => {
  const { architecture, vendor, features } = facts.cpu;
  if (architecture !== null && !isSame(architecture, report?.cpuArchitecture)) {
    return exclusion(6, "cpu_mismatch", `not ${architecture}`);
  }
  if (vendor !== null && !isSame(vendor, report?.cpuVendor))
    return exclusion(6, "cpu_mismatch", `not ${vendor}`);
  const lacking = features.find((feature) => !hasFeature(report?.cpuFeatures ?? [], feature));
  return lacking === undefined ? null : exclusion(6, "cpu_mismatch", `no ${lacking}`);
};

/** Rule 8: a stream goes to one node. */
const receiver: Rule = ({ facts: { payment } }, { capabilities, registration }) => {
  if (payment.type !== "superfluid") return null;
  const own = [capabilities?.paymentReceiver ?? null, registration.streamReward];
  if (payment.receiver !== null && own.some((address) => isSameAddress(payment.receiver ?? "", address)))
    return null;
  return exclusion(8, "other_receiver", "not paid by its stream");
};

/** Rule 10: what a node refused it is not asked again at once. */
const refusal: Rule = ({ refusals }, { registration }, { nowMs }) =>
  refusals.some(({ nodeHash, untilMs }) => nodeHash === registration.nodeHash && untilMs > nowMs)
    ? exclusion(10, "refused", "refused it lately")
    : null;

/** Rule 11: what the owner wishes beyond the message. */
const wishes: Rule = ({ wishes }, { report, capabilities }) => {
  if (wishes === null) return null;
  const { countries, excludedAsns, maxPriceFactor } = wishes;
  const country = report?.country?.toUpperCase() ?? null;
  if (countries.length > 0 && (country === null || !countries.includes(country))) {
    return exclusion(11, "country", "not in a country that its owner wants");
  }
  if (excludedAsns.length > 0) {
    const asn = report?.asn ?? null;
    if (asn === null || excludedAsns.includes(asn)) {
      return exclusion(11, "asn", "in a network that its owner excludes, or in none that is known");
    }
  }
  if (maxPriceFactor === null || (capabilities?.priceFactor ?? 1) <= maxPriceFactor) return null;
  return exclusion(11, "price", "dearer than its owner allows");
};

const PLACE_RULES = [pin, publicIpv6, hypervisor, confidential, cpu];
const OWN_NODE_RULES = [...PLACE_RULES, receiver];

/** What a machine that has the node could lose: neither its room nor what passes. */
export function exclusionFromOwnNode(vm: PlanVm, node: PlanNode, context: RuleContext): Exclusion | null {
  return firstOf(OWN_NODE_RULES, vm, node, context);
}

/** The first rule by which a node cannot have a machine; null: it can. */
export const exclusionFrom = (vm: PlanVm, room: NodeRoom, context: RuleContext): Exclusion | null =>
  exclusionOfPlace(vm, room, context) ?? exclusionOfMoment(vm, room, context);

/** The first of the rules that look at nothing which changes while a plan is made. */
export const exclusionOfPlace = (vm: PlanVm, room: NodeRoom, context: RuleContext): Exclusion | null =>
  room.exclusionOfKind(vm.facts, () => firstOf(FIRST_RULES, vm, room.node, context));

/** The first of the other rules: of most machines only their size is asked for. */
export function exclusionOfMoment(vm: PlanVm, room: NodeRoom, context: RuleContext): Exclusion | null {
  if (!asksMoreThanRoom(vm)) return capacity(vm, room);
  const { node } = room;
  return (
    gpu(vm, room) ??
    receiver(vm, node, context) ??
    capacity(vm, room) ??
    firstOf(LAST_RULES, vm, node, context) ??
    spread(vm, room)
  );
}

/** Machines that do are compared with all nodes. */
export const asksMoreThanRoom = ({ facts, refusals, wishes }: PlanVm): boolean =>
  facts.gpus.length > 0 || facts.payment.type === "superfluid" || refusals.length > 0 || wishes !== null;

const migrating: Rule = (_vm, node) =>
  node.isMigrating ? exclusion(1, "migrating", "busy with a migration") : null;

/** They look at nothing that changes while a plan is made, nor at which of several alike machines it is. */
const FIRST_RULES = [availability, migrating, ...PLACE_RULES];
const LAST_RULES = [refusal, wishes];

function gpu({ facts }: PlanVm, room: NodeRoom): Exclusion | null {
  if (facts.gpus.length === 0) return null;
  if (room.node.capabilities?.hasGpu !== true) return exclusion(7, "no_gpu", "no GPU");
  return room.hasGpusFor(facts) ? null : exclusion(7, "no_gpu", "no free GPU of the kind");
}

function capacity({ facts }: PlanVm, room: NodeRoom): Exclusion | null {
  switch (room.lacks(facts)) {
    case null:
      return null;
    case "size":
      return exclusion(9, "unknown_size", "of unknown size");
    case "vcpus":
      return exclusion(9, "too_few_vcpus", "too few free vCPUs");
    case "diskMib":
      return exclusion(9, "too_little_disk", "too little disk");
    default:
      return exclusion(9, "too_little_memory", "too little memory");
  }
}

function spread({ wishes }: PlanVm, room: NodeRoom): Exclusion | null {
  if (!(wishes?.spreadWith.some((other) => room.vms.has(other)) ?? false)) return null;
  return exclusion(11, "spread", "has a machine that it must be apart from");
}

function firstOf(rules: readonly Rule[], vm: PlanVm, node: PlanNode, context: RuleContext): Exclusion | null {
  for (const rule of rules) {
    const found = rule(vm, node, context);
    if (found !== null) return found;
  }
  return null;
}

const isSame = (wanted: string, actual: string | null | undefined): boolean =>
  actual != null && wanted.toLowerCase() === actual.toLowerCase();

const hasFeature = (features: readonly string[], feature: string): boolean =>
  features.some((own) => own.toLowerCase() === feature.toLowerCase());

/** Ethereum addresses differ in the case of their letters alone; others are exact. */
export function isSameAddress(a: string, b: string | null): boolean {
  if (b === null) return false;
  return a.startsWith("0x") && b.startsWith("0x") ? a.toLowerCase() === b.toLowerCase() : a === b;
}
