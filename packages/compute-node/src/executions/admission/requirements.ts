import { runInNewContext } from "node:vm";
import type {
  CpuProperties,
  GpuProperties,
  InstanceContent,
  NodeRequirements,
  ProgramContent,
} from "@twentysix/protocol";
import { MAX_VCPUS, MIN_MEMORY_MIB } from "../../hypervisor/vm-spec.ts";
import { isConfidential } from "../confidential.ts";
import { ExecutionError } from "../errors.ts";

/** What a node says of itself, against which requirements are held. */
export interface NodeFacts {
  /** null: not registered, or not found out yet. */
  readonly nodeHash: string | null;
  readonly ownerAddress: string | null;
  /** `https://crn1.example.org` */
  readonly url: string;
  /** Item hash of the terms that its registration announces. */
  readonly termsAndConditions: string | null;
  readonly cpu: {
    readonly architecture: "x86_64" | "arm64";
    readonly vendor: string;
    readonly features: readonly string[];
  };
  /** Why confidential machines cannot run here; null: they can. */
  readonly teeUnavailableReason: string | null;
}

const REGEX_TIMEOUT_MS = 50;

/**
 * Holds all requirements of a machine against this node; the reference leaves all but the node's hash to others.
 *
 * @throws ExecutionError REQUIREMENTS_NOT_MET, UNSUPPORTED
 */
export function assertRequirements(content: ProgramContent | InstanceContent, node: NodeFacts): void {
  const { requirements, resources } = content;
  const tooSmall = resources.memory < MIN_MEMORY_MIB;
  if (tooSmall || resources.vcpus > MAX_VCPUS) {
    const text = tooSmall
      ? `${resources.memory} MiB of memory are too few to boot: ask for ${MIN_MEMORY_MIB} or more`
      : `${resources.vcpus} vCPUs required, and a machine can have ${MAX_VCPUS}: ask for fewer`;
    throw new ExecutionError("UNSUPPORTED", text);
  }
  if (isConfidential(content) && node.teeUnavailableReason !== null) {
    const text = `confidential machines cannot run here: ${node.teeUnavailableReason}`;
    throw new ExecutionError("UNSUPPORTED", text);
  }
  const problem =
    cpuProblem(requirements?.cpu ?? null, node) ??
    nodeProblem(requirements?.node ?? null, node) ??
    gpuProblem(requirements?.gpu ?? []);
  if (problem !== null) throw new ExecutionError("REQUIREMENTS_NOT_MET", `${problem}; choose another node`);
}

/** As schedulers compare them: in any case of letters. */
function cpuProblem(wanted: CpuProperties | null, { cpu }: NodeFacts): string | null {
  if (wanted === null) return null;
  const { architecture, vendor, features } = wanted;
  if (architecture !== null && !isSame(architecture, cpu.architecture)) {
    return `the machine needs ${architecture}, and this node is ${cpu.architecture}`;
  }
  if (vendor !== null && !isSame(vendor, cpu.vendor)) {
    return `the machine needs a processor of ${vendor}, and this node has one of ${cpu.vendor}`;
  }
  const missing = (features ?? []).filter((feature) => !cpu.features.some((own) => isSame(own, feature)));
  return missing.length === 0 ? null : `the processor of this node lacks ${missing.join(", ")}`;
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function nodeProblem(wanted: NodeRequirements | null, node: NodeFacts): string | null {
  if (wanted === null) return null;
  const { owner, address_regex: regex, node_hash: hash, terms_and_conditions: terms } = wanted;
  if (hash !== null && hash !== node.nodeHash) return `the machine is for node ${hash}, and this is another`;
  if (owner !== null && owner.toLowerCase() !== node.ownerAddress?.toLowerCase()) {
    return `the machine needs a node of ${owner}, and this one belongs to ${node.ownerAddress ?? "nobody known"}`;
  }
  if (terms !== null && terms !== node.termsAndConditions) {
    return `the machine was made for the terms ${terms}, and this node has ${node.termsAndConditions ?? "none"}`;
  }
  return regex === null ? null : addressProblem(regex, node.url);
}

/**
 * Strangers write these: matching is bounded in time. As Python's `re.match`, it holds at the start of the address.
 */
function addressProblem(pattern: string, url: string): string | null {
  const translated = pattern.replaceAll("(?P<", "(?<").replace(/\\Z/g, "$").replace(/\\A/g, "^");
  try {
    const isMatch: unknown = runInNewContext(
      "new RegExp(pattern, 'y').test(url)",
      { pattern: translated, url },
      { timeout: REGEX_TIMEOUT_MS },
    );
    return isMatch === true ? null : `address_regex ${pattern} does not match ${url}`;
  } catch (error) {
    // A pattern that takes too long, or that this engine does not read.
    return `address_regex ${pattern} cannot be held against ${url}: ${error instanceof Error ? error.message : "it failed"}`;
  }
}

function gpuProblem(wanted: readonly GpuProperties[]): string | null {
  const [first] = wanted;
  if (first === undefined) return null;
  return `Failed to find available GPU matching spec ${first.device_id}: this node offers no GPU`;
}
