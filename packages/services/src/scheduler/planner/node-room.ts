import type { GpuDevice, VmFacts } from "../model/vm.ts";
import type { Exclusion } from "./exclusion.ts";
import type { PlanNode, PlanSettings, PlanVm } from "./plan-input.ts";
import type { Takings } from "./takings.ts";

const MEBIBYTE_SHARES = 1_000;
/** Whoever makes up more of them pays with the time of their own machines alone. */
const MAX_KINDS = 64;
const kinds = new WeakMap<VmFacts, string>();

/** Machines of one text are alike to all rules that look at no room; null: it names its node, and is like no other. */
export function kindText(facts: VmFacts): string | null {
  const { nodeHash, owner, addressRegex, termsAndConditions } = facts.node;
  if (nodeHash !== null || owner !== null || addressRegex !== null || termsAndConditions !== null)
    return null;
  const known = kinds.get(facts);
  if (known !== undefined) return known;
  const { kind, hypervisor, confidential, cpu, vcpuTypes } = facts;
  const text = JSON.stringify([kind, hypervisor, confidential, cpu, vcpuTypes]);
  kinds.set(facts, text);
  return text;
}

/** What is left of a node while a plan is made. */
export class NodeRoom {
  readonly node: PlanNode;
  readonly #capacity: Amounts;
  readonly #free: MutableAmounts;
  readonly #freeGpus: GpuDevice[];
  readonly #takings: Takings<NodeRoom>;
  readonly #exclusions = new Map<string, Exclusion | null>();
  #host: string | null = null;
  readonly hasGpu: boolean;
  /** Machines that have the node. */
  readonly vms = new Set<string>();

  /** @param takings of all rooms together */
  constructor(node: PlanNode, { placement }: Pick<PlanSettings, "placement">, takings: Takings<NodeRoom>) {
    this.node = node;
    this.#takings = takings;
    this.#capacity = capacityOf(node, placement);
    this.#free = { ...this.#capacity };
    this.#freeGpus = [...(node.report?.freeGpus ?? [])];
    this.hasGpu = (node.report?.gpus.length ?? 0) > 0;
  }

  /** Of its address; its hash where it has none. */
  get host(): string {
    const { address, nodeHash } = this.node.registration;
    this.#host ??= address !== null && URL.canParse(address) ? new URL(address).hostname : nodeHash;
    return this.#host;
  }

  /** What is the same for all machines that ask for the same kind of node, found once. */
  exclusionOfKind(facts: VmFacts, find: () => Exclusion | null): Exclusion | null {
    const kind = kindText(facts);
    if (kind === null) return find();
    const known = this.#exclusions.get(kind);
    if (known !== undefined) return known;
    const found = find();
    if (this.#exclusions.size < MAX_KINDS) this.#exclusions.set(kind, found);
    return found;
  }

  /** Which resource a machine lacks here; null: it fits. A node that never said its size has room for nothing. */
  lacks(facts: VmFacts): keyof Amounts | "size" | null {
    if (this.node.report === null) return "size";
    const memory = memoryKind(facts);
    if (facts.vcpus > this.#free.vcpus) return "vcpus";
    if (facts.memoryMib > this.#free[memory]) return memory;
    return facts.diskMib > this.#free.diskMib ? "diskMib" : null;
  }

  hasGpusFor({ gpus }: VmFacts): boolean {
    return takeGpus([...this.#freeGpus], gpus);
  }

  /** The smallest share of a resource, in hundredths, that would be left with this machine. */
  freePercentWith(facts: VmFacts): number {
    const memory = memoryKind(facts);
    const shares = [
      share(this.#free.vcpus - facts.vcpus, this.#capacity.vcpus),
      share(this.#free[memory] - facts.memoryMib, this.#capacity[memory]),
      share(this.#free.diskMib - facts.diskMib, this.#capacity.diskMib),
    ];
    return Math.floor(Math.min(...shares) / (MEBIBYTE_SHARES / 100));
  }

  /** Puts a machine here, whether there is room or not. `isNew`: the node does not know of it yet. */
  take(vm: PlanVm, isNew: boolean): void {
    const { facts } = vm;
    if (this.vms.has(facts.vmHash)) return;
    this.vms.add(facts.vmHash);
    this.#takings.add(facts, this);
    const isExact = this.node.report?.headroom !== null;
    // What the node sees already is in its own figures.
    if (isNew) takeGpus(this.#freeGpus, facts.gpus);
    if (isNew) this.#free.diskMib -= facts.diskMib;
    if (!isNew && isExact) return;
    this.#free.vcpus -= facts.vcpus;
    if (isExact) this.#free[memoryKind(facts)] -= facts.memoryMib;
    else {
      this.#free.instanceMemoryMib -= facts.memoryMib;
      this.#free.programMemoryMib -= facts.memoryMib;
    }
  }
}

/** Instances and programs share the memory of a node unless it says otherwise. */
interface Amounts {
  readonly vcpus: number;
  readonly instanceMemoryMib: number;
  readonly programMemoryMib: number;
  readonly diskMib: number;
}
type MutableAmounts = { -readonly [Key in keyof Amounts]: Amounts[Key] };

const memoryKind = ({ kind }: VmFacts): "instanceMemoryMib" | "programMemoryMib" =>
  kind === "persistent_program" ? "programMemoryMib" : "instanceMemoryMib";

function capacityOf({ report }: PlanNode, placement: PlanSettings["placement"]): Amounts {
  if (report?.headroom != null) return { ...report.headroom };
  const memoryMib = report?.memoryMib ?? 0;
  const reservedMib = Math.max(placement.reservedMemoryMib, memoryMib * placement.reservedMemoryShare);
  const leftMib = Math.max(0, Math.floor(memoryMib - reservedMib));
  return {
    vcpus: Math.floor((report?.vcpus ?? 0) * placement.overcommit),
    instanceMemoryMib: leftMib,
    programMemoryMib: leftMib,
    diskMib: report?.freeDiskMib ?? 0,
  };
}

const share = (free: number, capacity: number): number =>
  capacity <= 0 ? 0 : Math.floor((Math.max(0, free) * MEBIBYTE_SHARES) / capacity);

/** Takes a distinct device for each that is asked for; false when one is not there. */
function takeGpus(free: GpuDevice[], wanted: readonly GpuDevice[]): boolean {
  return wanted.every(({ deviceId }) => {
    const index = free.findIndex((device) => device.deviceId === deviceId);
    if (index < 0) return false;
    free.splice(index, 1);
    return true;
  });
}
