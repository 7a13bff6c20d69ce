import type { CoreNodeRecord } from "./node-records.ts";

/** Who backs which core nodes, and with how much. */
export class Stakes {
  /** Item hashes of core nodes by staker, in the order in which they were chosen. */
  readonly #byStaker = new Map<string, string[]>();
  readonly #nodes: ReadonlyMap<string, CoreNodeRecord>;
  readonly #balanceOf: (address: string) => bigint;
  readonly #activationAtto: bigint;

  constructor(
    nodes: ReadonlyMap<string, CoreNodeRecord>,
    balanceOf: (address: string) => bigint,
    activationAtto: bigint,
  ) {
    this.#nodes = nodes;
    this.#balanceOf = balanceOf;
    this.#activationAtto = activationAtto;
  }

  of(staker: string): readonly string[] {
    return this.#byStaker.get(staker) ?? [];
  }

  add(staker: string, node: string): void {
    this.#byStaker.set(staker, [...this.of(staker), node]);
    this.recompute(staker);
  }

  remove(staker: string, node: string): void {
    const left = this.of(staker).filter((other) => other !== node);
    if (left.length === 0) this.#byStaker.delete(staker);
    else this.#byStaker.set(staker, left);
    this.#take(staker, node);
    this.recompute(staker);
  }

  removeAll(staker: string): void {
    const nodes = this.of(staker);
    this.#byStaker.delete(staker);
    for (const node of nodes) this.#take(staker, node);
  }

  /** Every stake on a core node that goes. */
  removeNode(node: CoreNodeRecord): void {
    for (const staker of [...node.stakers.keys()]) this.remove(staker, node.hash);
  }

  /** A balance is spread evenly over the nodes that it backs, rounded down. */
  recompute(staker: string): void {
    const nodes = this.of(staker);
    if (nodes.length === 0) return;
    const share = this.#balanceOf(staker) / BigInt(nodes.length);
    for (const hash of nodes) {
      const node = this.#nodes.get(hash);
      if (node === undefined) continue;
      node.stakers.set(staker, share);
      this.#sum(node);
    }
  }

  #take(staker: string, hash: string): void {
    const node = this.#nodes.get(hash);
    if (node === undefined) return;
    node.stakers.delete(staker);
    this.#sum(node);
  }

  #sum(node: CoreNodeRecord): void {
    let total = 0n;
    for (const atto of node.stakers.values()) total += atto;
    node.totalStakedAtto = total;
    node.isActive = total >= this.#activationAtto;
  }
}
