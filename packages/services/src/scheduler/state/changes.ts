import type { NodeRecord } from "../model/node.ts";
import type { Reason } from "../model/reason.ts";
import type { VmRecord } from "../model/vm.ts";
import type { HistoryRow, SchedulerEventBody } from "./events.ts";
import type { MigrationJob } from "./migration-job.ts";
import type { PushRecord } from "./push-record.ts";

/** Changes that are made together. */
export class Changes {
  readonly #knownVms: ReadonlyMap<string, VmRecord>;
  readonly #knownNodes: ReadonlyMap<string, NodeRecord>;
  readonly vms = new Map<string, VmRecord>();
  readonly nodes = new Map<string, NodeRecord>();
  /** Their rows go, with what was sent to them. */
  readonly forgottenNodes = new Set<string>();
  readonly pushes = new Map<string, PushRecord>();
  /** null: it is over. */
  readonly jobs = new Map<string, MigrationJob | null>();
  readonly failovers = new Set<string>();
  readonly history: Omit<HistoryRow, "id" | "atMs">[] = [];
  readonly events: { readonly body: SchedulerEventBody; readonly reason: Reason | null }[] = [];

  constructor(vms: ReadonlyMap<string, VmRecord>, nodes: ReadonlyMap<string, NodeRecord>) {
    this.#knownVms = vms;
    this.#knownNodes = nodes;
  }

  get isEmpty(): boolean {
    return (
      [this.vms, this.nodes, this.pushes, this.jobs].every((map) => map.size === 0) &&
      this.forgottenNodes.size === 0 &&
      this.events.length === 0
    );
  }

  vm(vmHash: string): VmRecord | null {
    return this.vms.get(vmHash) ?? this.#knownVms.get(vmHash) ?? null;
  }

  node(nodeHash: string): NodeRecord | null {
    return this.nodes.get(nodeHash) ?? this.#knownNodes.get(nodeHash) ?? null;
  }

  putVm(vm: VmRecord): void {
    this.vms.set(vm.facts.vmHash, vm);
  }

  putNode(node: NodeRecord): void {
    this.nodes.set(node.registration.nodeHash, node);
  }

  forgetNode(nodeHash: string): void {
    this.forgottenNodes.add(nodeHash);
  }

  putPush(push: PushRecord): void {
    this.pushes.set(push.nodeHash, push);
  }

  putJob(job: MigrationJob): void {
    this.jobs.set(job.vmHash, job);
  }

  event(body: SchedulerEventBody, reason: Reason | null = null): void {
    this.events.push({ body, reason });
  }

  /** A node is given up in this window. */
  failover(nodeHash: string): void {
    this.failovers.add(nodeHash);
  }
}
