import { isJsonObject, type JsonObject, memberOf } from "@twentysix/protocol";
import type { BalancesEvent, OperationEvent, RegistryEvent, ScoresEvent } from "./events.ts";
import { hostOfMultiaddress, hostOfUrl } from "./node-hosts.ts";
import {
  amendedFields,
  type ComputeNodeRecord,
  type CoreNodeRecord,
  isTruthy,
  type NodeFields,
  newComputeNode,
  newCoreNode,
} from "./node-records.ts";
import type { RegistryRules } from "./rules.ts";
import { applyScores } from "./scores.ts";
import { Stakes } from "./stakes.ts";

/** Why an event has no effect; null: it had its effect. */
export type Ignored = string | null;

/**
 * The nodes of a network and who backs them, from balances, operations and scores in their order. The same events in the
 * same order always give the same registry.
 *
 * Source: aleph-nodestatus `src/aleph_nodestatus/status.py`.
 */
export class Registry {
  readonly coreNodes = new Map<string, CoreNodeRecord>();
  readonly computeNodes = new Map<string, ComputeNodeRecord>();
  readonly #rules: RegistryRules;
  readonly #stakes: Stakes;
  /** Item hash of the core node of an owner. */
  readonly #ownNode = new Map<string, string>();
  /** By platform, then by address. */
  readonly #balances = new Map<string, Map<string, { readonly atto: bigint; readonly height: bigint }>>();
  #lastScoreHeight: number | null = null;

  constructor(rules: RegistryRules) {
    this.#rules = rules;
    this.#stakes = new Stakes(this.coreNodes, (address) => this.balanceOf(address), rules.activationAtto);
  }

  /** Of all platforms together. */
  balanceOf(address: string): bigint {
    let total = 0n;
    for (const platform of this.#balances.values()) total += platform.get(address)?.atto ?? 0n;
    return total;
  }

  apply(event: RegistryEvent): Ignored {
    switch (event.kind) {
      case "balances":
        return this.#applyBalances(event);
      case "operation":
        return this.#applyOperation(event);
      case "scores":
        return this.#applyScores(event);
    }
  }

  #applyBalances({ platform, balancesHeight, balances }: BalancesEvent): Ignored {
    const known = this.#balances.get(platform) ?? new Map();
    this.#balances.set(platform, known);
    let isNews = false;
    for (const [address, atto] of balances) {
      const before = known.get(address);
      if (before !== undefined && before.height >= balancesHeight) continue;
      known.set(address, { atto, height: balancesHeight });
      isNews = true;
      if ((before?.atto ?? 0n) !== atto) this.#balanceChanged(address);
    }
    return isNews ? null : "a publication of balances that is no newer came before";
  }

  /** An owner is not looked at as a staker: he has no stakes. */
  #balanceChanged(address: string): void {
    const { nodeAtto, stakeAtto } = this.#rules;
    const balance = this.balanceOf(address);
    const own = this.#coreNodeOf(address);
    if (own !== null) {
      if (balance < nodeAtto) this.#removeCoreNode(own);
    } else if (balance < stakeAtto) this.#stakes.removeAll(address);
    else this.#stakes.recompute(address);
  }

  #applyOperation(event: OperationEvent): Ignored {
    const action = memberOf(event.content, "action");
    if (typeof action !== "string") return "the operation names no action";
    const details = memberOf(event.content, "details");
    const given = details === undefined ? {} : details;
    if (!isJsonObject(given)) return "the details of the operation are no object";
    if (event.isAmend) return this.#amend(event, action, given);
    switch (action) {
      case "create-node":
        return this.#createCoreNode(event, given);
      case "create-resource-node":
        return this.#createComputeNode(event, given);
      case "link":
        return this.#link(event);
      case "unlink":
        return this.#unlink(event);
      case "drop-node":
        return this.#drop(event);
      case "stake":
      case "stake-split":
        return this.#stake(event, action);
      case "unstake":
        return this.#unstake(event);
      default:
        return "there is no such action";
    }
  }

  #createCoreNode(event: OperationEvent, details: JsonObject): Ignored {
    const { address } = event;
    if (this.#ownNode.has(address)) return "the address has a core node already";
    if (this.balanceOf(address) < this.#rules.nodeAtto)
      return "the address has too few tokens for a core node";
    const node = newCoreNode(event, details, this.#rules.bonusBeforeHeight);
    node.fields.multiaddress = this.#freeMultiaddress(node);
    this.#stakes.removeAll(address);
    this.#ownNode.set(address, node.hash);
    this.coreNodes.set(node.hash, node);
    return null;
  }

  #createComputeNode(event: OperationEvent, details: JsonObject): Ignored {
    const type = memberOf(details, "type");
    if (type === undefined) return "the details of a compute node name no type";
    const node = newComputeNode(event, details, type);
    node.fields.address = this.#freeUrl(node);
    this.computeNodes.set(node.hash, node);
    return null;
  }

  #link({ address, ref }: OperationEvent): Ignored {
    const own = this.#coreNodeOf(address);
    if (own === null) return "the address has no core node";
    if (own.computeNodes.length >= this.#rules.maxLinkedNodes) {
      return "as many compute nodes as may be are linked to the core node";
    }
    const target = this.computeNodes.get(ref ?? "");
    if (target === undefined) return "there is no such compute node";
    if (target.parent !== null) return "the compute node is linked already";
    if (isTruthy(target.fields.locked)) return "the compute node is locked";
    own.computeNodes.push(target.hash);
    target.parent = own.hash;
    return null;
  }

  #unlink({ address, ref }: OperationEvent): Ignored {
    const target = this.computeNodes.get(ref ?? "");
    if (target === undefined) return "there is no such compute node";
    if (target.parent === null) return "the compute node is not linked";
    const isParents = this.#ownNode.get(address) === target.parent;
    if (!isParents && target.owner !== address) return "the address owns neither of the two nodes";
    this.#detach(target);
    return null;
  }

  #drop({ address, ref }: OperationEvent): Ignored {
    const own = this.#coreNodeOf(address);
    if (own !== null && own.hash === ref) {
      this.#removeCoreNode(own);
      return null;
    }
    const target = this.computeNodes.get(ref ?? "");
    if (target === undefined || target.owner !== address) return "the address owns no such node";
    this.#removeComputeNode(target);
    return null;
  }

  #stake({ address, ref }: OperationEvent, action: "stake" | "stake-split"): Ignored {
    if (this.balanceOf(address) < this.#rules.stakeAtto) return "the address has too few tokens to stake";
    const target = this.coreNodes.get(ref ?? "");
    if (target === undefined) return "there is no such core node";
    if (this.#ownNode.has(address)) return "whoever has a core node does not stake";
    const { locked, authorized } = target.fields;
    const isAllowed = Array.isArray(authorized) && authorized.includes(address);
    if (isTruthy(locked) && !isAllowed)
      return "the core node is locked, and the address not among the authorized";
    if (action === "stake-split" && this.#stakes.of(address).includes(target.hash)) {
      return "the address stakes on that core node already";
    }
    if (action === "stake") this.#stakes.removeAll(address);
    this.#stakes.add(address, target.hash);
    return null;
  }

  #unstake({ address, ref }: OperationEvent): Ignored {
    if (ref === null || !this.#stakes.of(address).includes(ref)) {
      return "the address does not stake on that core node";
    }
    this.#stakes.remove(address, ref);
    return null;
  }

  #amend(event: OperationEvent, action: string, details: JsonObject): Ignored {
    const { address, ref } = event;
    const core = action === "create-node" ? this.coreNodes.get(ref ?? "") : undefined;
    const compute = action === "create-resource-node" ? this.computeNodes.get(ref ?? "") : undefined;
    const node = core ?? compute;
    if (node === undefined) return "there is no such node to amend";
    if (node.owner !== address && node.fields.manager !== address) {
      return "the address is neither owner nor manager of the node";
    }
    const changed: Partial<NodeFields> = amendedFields(details);
    Object.assign(node.fields, changed);
    if (core !== undefined && "multiaddress" in changed)
      core.fields.multiaddress = this.#freeMultiaddress(core);
    if (compute !== undefined && "address" in changed) compute.fields.address = this.#freeUrl(compute);
    return null;
  }

  #applyScores(event: ScoresEvent): Ignored {
    const { height } = event;
    const { ignoredScores } = this.#rules;
    const isIgnored =
      ignoredScores !== null &&
      height !== null &&
      height >= ignoredScores.fromHeight &&
      height <= ignoredScores.toHeight;
    if (isIgnored) return "scores of this time are passed over";
    const nodes = [...this.coreNodes.values(), ...this.computeNodes.values()];
    applyScores(nodes, event, this.#lastScoreHeight);
    if (height !== null) this.#lastScoreHeight = Math.max(height, this.#lastScoreHeight ?? 0);
    this.#removeInactive(event);
    return null;
  }

  #removeInactive({ height, scores }: ScoresEvent): void {
    const { removal } = this.#rules;
    if (removal === null || height === null || height <= removal.fromHeight) return;
    for (const node of [...this.computeNodes.values()]) {
      const inactiveBlocks = node.inactiveSince === null ? 0 : height - node.inactiveSince;
      if (scores.has(node.hash) && node.parent === null && inactiveBlocks > removal.inactiveBlocks) {
        this.#removeComputeNode(node);
      }
    }
  }

  #coreNodeOf(address: string): CoreNodeRecord | null {
    return this.coreNodes.get(this.#ownNode.get(address) ?? "") ?? null;
  }

  #removeCoreNode(node: CoreNodeRecord): void {
    this.#stakes.removeNode(node);
    for (const hash of [...node.computeNodes]) {
      const linked = this.computeNodes.get(hash);
      if (linked !== undefined) this.#detach(linked);
    }
    this.#ownNode.delete(node.owner);
    this.coreNodes.delete(node.hash);
  }

  #removeComputeNode(node: ComputeNodeRecord): void {
    this.#detach(node);
    this.computeNodes.delete(node.hash);
  }

  #detach(node: ComputeNodeRecord): void {
    const siblings = this.coreNodes.get(node.parent ?? "")?.computeNodes ?? [];
    const at = siblings.indexOf(node.hash);
    if (at >= 0) siblings.splice(at, 1);
    node.parent = null;
  }

  /** The address that a compute node may have: none when another names its host. */
  #freeUrl({ hash, fields: { address } }: ComputeNodeRecord): NodeFields["address"] {
    if (this.#rules.sharedHosts) return address;
    const host = hostOfUrl(address);
    const others = [...this.computeNodes.values()].filter((other) => other.hash !== hash);
    return others.some(({ fields }) => hostOfUrl(fields.address) === host) ? "" : address;
  }

  /** The multiaddress that a core node may have: none when it names no host, or that of another. */
  #freeMultiaddress({ hash, fields: { multiaddress } }: CoreNodeRecord): NodeFields["multiaddress"] {
    const host = hostOfMultiaddress(multiaddress);
    if (host === null) return "";
    if (this.#rules.sharedHosts) return multiaddress;
    const others = [...this.coreNodes.values()].filter((other) => other.hash !== hash);
    return others.some(({ fields }) => hostOfMultiaddress(fields.multiaddress) === host) ? "" : multiaddress;
  }
}
