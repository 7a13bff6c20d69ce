import { createHash } from "node:crypto";
import type { NodeParts } from "@twentysix/core-node/simulated";
import { PlatformError } from "@twentysix/platform";
import { toldJson } from "../told-json.ts";
import type { Promised } from "../workload/promises.ts";
import type { Machine } from "../world/machine.ts";
import { SimulationFailure, type World } from "../world/world.ts";

const READ_TIMEOUT_MS = 60_000;
/** What stands by itself: it becomes part of the state wherever it comes to. */
const INDEPENDENT: ReadonlySet<string> = new Set([
  "funding",
  "post",
  "aggregate",
  "grant",
  "store",
  "transfer",
]);
const APPLIED: ReadonlySet<string> = new Set(["processed", "forgotten"]);

/** What a node acknowledged is there: on every node where it stands by itself, on this one in any case. */
export async function assertMessagesKept(
  world: World,
  machines: readonly Machine[],
  promises: readonly Promised[],
): Promise<void> {
  for (const promised of promises) {
    const { hash, kind, peerId } = promised;
    const statuses = new Map<string, string>();
    for (const machine of machines) {
      const { services } = await machine.node();
      const view = await world.until("a status", READ_TIMEOUT_MS, services.reads.statusOf(hash));
      statuses.set(machine.peerId, view?.status ?? "unknown");
    }
    const isKept = [...statuses].every(([machine, status]) =>
      INDEPENDENT.has(kind) ? APPLIED.has(status) : machine !== peerId || status !== "unknown",
    );
    if (isKept) continue;
    const told = [...statuses].map(([machine, status]) => `${machine} ${status}`).join(", ");
    throw new SimulationFailure(`The ${kind} ${hash}, which ${peerId} acknowledged, is not kept: ${told}`);
  }
}

/** Everybody has the same money, whichever node is asked. */
export async function assertBalancesAgree(
  world: World,
  machines: readonly Machine[],
  addresses: readonly string[],
): Promise<void> {
  for (const address of addresses) {
    const told = new Map<string, string[]>();
    for (const machine of machines) {
      const amounts = await world.until("a balance", READ_TIMEOUT_MS, balanceOf(machine, address));
      told.set(amounts, [...(told.get(amounts) ?? []), machine.peerId]);
    }
    if (told.size > 1)
      throw new SimulationFailure(`The nodes differ about ${address}: ${JSON.stringify([...told])}`);
  }
}

async function balanceOf(machine: Machine, address: string): Promise<string> {
  const { services } = await machine.node();
  const balance = await services.reads.balanceOf(address, services.clock.nowMicros());
  return toldJson(balance);
}

/** Every file that a live message names is served, whole, by every node, while the others are asked as well. */
export async function assertFilesServed(
  world: World,
  machines: readonly Machine[],
  promises: readonly Promised[],
): Promise<void> {
  const asked = machines.map((machine) => assertServedBy(world, machine, promises));
  await world.until("the files of all nodes", READ_TIMEOUT_MS * (1 + promises.length), Promise.all(asked));
}

async function assertServedBy(world: World, machine: Machine, promises: readonly Promised[]): Promise<void> {
  const node = await machine.node();
  for (const { hash, fileHash } of promises) {
    if (fileHash === null) continue;
    const view = await node.services.reads.statusOf(hash);
    if (view?.status !== "processed") continue;
    const served = await inTime(world, `${machine.peerId} serves ${fileHash}`, servedHash(node, fileHash));
    if (served !== fileHash)
      throw new SimulationFailure(`${machine.peerId} serves ${served} for the file ${fileHash}`);
  }
}

async function inTime<T>(world: World, what: string, work: Promise<T>): Promise<T> {
  try {
    return await world.timers.withTimeout(READ_TIMEOUT_MS, () => work);
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    throw new SimulationFailure(`${what}: not after ${READ_TIMEOUT_MS} ms of virtual time`);
  }
}

/** The hash of what a node serves under a name; null: nothing. */
export async function servedHash(node: NodeParts, fileHash: string): Promise<string | null> {
  const bytes = await node.services.downloads.openFile(fileHash, { signal: new AbortController().signal });
  if (bytes === null) return null;
  const hash = createHash("sha256");
  for await (const piece of bytes) hash.update(piece);
  return hash.digest("hex");
}
