import type { NetworkOptions, PeerKey } from "@twentysix/network";
import type { Clock, Random, Timers } from "@twentysix/platform";
import { between } from "../random-for.ts";
import type { Trace } from "../trace.ts";
import type { ProcessLife } from "../world/process-life.ts";
import { Host, type HostOptions } from "./host.ts";
import type { Links } from "./links.ts";

export interface SimulatedNetworkOptions {
  readonly links: Links;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly trace: Trace;
}

/** How soon a host notices that it does not hear of another one any more. */
const NOTICE_MS = { least: 1_000, most: 15_000 } as const;

/** The hosts of all nodes, and the connections between them. */
export class SimulatedNetwork {
  readonly #options: SimulatedNetworkOptions;
  readonly #hosts = new Map<string, Host>();

  constructor(options: SimulatedNetworkOptions) {
    this.#options = options;
  }

  /** A host for a process; it dials the others for as long as the process runs. */
  open(
    key: PeerKey,
    life: ProcessLife,
    timers: Timers,
    node: Omit<NetworkOptions, "key" | "book">,
    extras: Pick<HostOptions, "tamper"> = {},
  ): Host {
    const { links, random, trace } = this.#options;
    const { peerId } = key;
    const others = (): readonly Host[] =>
      [...this.#hosts.values()].filter((other) => other.peerId !== peerId);
    const host = new Host({
      ...{ key, life, timers, node, links, random, trace, others },
      find: (other) => this.#hosts.get(other),
      connect: (other) => this.#connect(host, other),
      leave: () => this.#leave(host),
      ...extras,
    });
    this.#hosts.set(peerId, host);
    host.start();
    return host;
  }

  host(peerId: string): Host | undefined {
    return this.#hosts.get(peerId);
  }

  /** The process of a host has ended without taking leave; a machine without power says nothing at all. */
  died(peerId: string, hasPower: boolean): void {
    const host = this.#hosts.get(peerId);
    if (host === undefined) return;
    this.#hosts.delete(peerId);
    const { timers, links, random } = this.#options;
    for (const other of host.peers()) {
      const delayMs = hasPower ? links.delayMs() : between(random, NOTICE_MS.least, NOTICE_MS.most);
      timers.schedule(delayMs, () => this.#hosts.get(other)?.lost(host));
    }
  }

  /** Cuts two machines off from each other; each notices in its own time, unless it is over before. */
  cut(one: string, other: string): () => void {
    const { links, timers, random } = this.#options;
    const heal = links.cut(one, other);
    for (const [a, b] of [
      [one, other],
      [other, one],
    ] as const) {
      const [near, far] = [this.#hosts.get(a), this.#hosts.get(b)];
      if (near === undefined || far === undefined) continue;
      timers.schedule(between(random, NOTICE_MS.least, NOTICE_MS.most), () => {
        if (links.isCut(a, b)) near.lost(far);
      });
    }
    return heal;
  }

  #connect(one: Host, other: Host): void {
    const { links, timers } = this.#options;
    timers.schedule(2 * links.delayMs(), () => {
      const areThere = this.#hosts.get(one.peerId) === one && this.#hosts.get(other.peerId) === other;
      const isUnwanted = one.isBarred(other.peerId) || other.isBarred(one.peerId);
      if (!areThere || isUnwanted || links.isCut(one.peerId, other.peerId)) return;
      one.met(other);
      other.met(one);
    });
  }

  #leave(host: Host): void {
    if (this.#hosts.get(host.peerId) !== host) return;
    this.died(host.peerId, true);
  }
}
