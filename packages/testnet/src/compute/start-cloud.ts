import type { Timers } from "@twentysix/platform";
import type { LocalAccount, NetworkDefinition } from "@twentysix/protocol";
import { registerComputeNodes } from "@twentysix/services";
import type { TestnetAccount } from "../accounts.ts";
import { childEnvironment } from "../child-environment.ts";
import { TestnetError } from "../errors.ts";
import { HOST, type PortPlan } from "../ports.ts";
import type { CoreNodeProcess } from "../processes/core-node-process.ts";
import type { PartProcess } from "../processes/part-process.ts";
import {
  type ComputePartOptions,
  computeName,
  startComputeNode,
  startSchedulerNode,
} from "./compute-processes.ts";
import { type PublishedImages, prepareImages, publisher } from "./prepare-images.ts";
import { publishDiagnostic } from "./publish-diagnostic.ts";

/** What is told of machines' part of the network once it is ready. */
export interface CloudFacts extends PublishedImages {
  readonly compute: readonly { readonly api: string; readonly hash: string; readonly pid: number }[];
  readonly scheduler: { readonly api: string; readonly pid: number };
}

export interface CloudOptions extends Omit<ComputePartOptions, "coreNodes" | "timers"> {
  readonly imagesDir: string | null;
  readonly timers: Timers;
  readonly definition: NetworkDefinition;
  /** Of the core nodes, in their order: compute nodes belong to them in turn. */
  readonly owners: readonly LocalAccount[];
  readonly core: readonly CoreNodeProcess[];
  readonly accounts: readonly TestnetAccount[];
  readonly ports: PortPlan;
  /** All that was started, for whoever stops it. */
  readonly parts: PartProcess[];
}

/** Starts compute nodes and their scheduler beside core nodes that answer. @throws TestnetError */
export async function startCloud(options: CloudOptions): Promise<{ readonly facts: CloudFacts }> {
  const { ports, parts, core, definition, signal } = options;
  const [first] = core;
  if (first === undefined || ports.scheduler === null) {
    throw new TestnetError("TESTNET_NOT_READY", "compute nodes need a core node and a scheduler");
  }
  const images = await prepareImages({ ...options, apiUrl: first.apiUrl });
  const checkProgram = await publishDiagnostic({
    ...options,
    apiUrl: first.apiUrl,
    account: publisher(options.accounts),
    runtime: images.runtimes.python ?? "",
  });
  const owned = ports.compute.map((port, index) => ({
    name: computeName(index),
    address: `http://${HOST}:${port}`,
    port,
    owner: ownerAt(options.owners, index),
  }));
  const hashes = await registerComputeNodes(owned, { apiUrl: first.apiUrl, definition, signal });
  const shared: ComputePartOptions = {
    ...options,
    coreNodes: core.map(({ apiUrl }) => apiUrl),
    environment: childEnvironment(options.environment),
  };
  const nodes = await Promise.allSettled(
    owned.map(async ({ name, port, owner }, index) => {
      const nodeHash = hashes[index] ?? "";
      const place = {
        ...{ index, name, port, nodeHash, owner: owner.address },
        ...{ imagesDir: images.hostImagesDir, checkProgram },
      };
      const { apiUrl, process } = await startComputeNode(place, shared);
      parts.push(process);
      return { api: apiUrl, hash: nodeHash, pid: process.pid };
    }),
  );
  const scheduler = await startSchedulerNode(ports.scheduler, shared);
  parts.push(scheduler.process);
  const compute = nodes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
  const { runtimes, rootfs } = images;
  return {
    facts: { compute, scheduler: { api: scheduler.apiUrl, pid: scheduler.process.pid }, runtimes, rootfs },
  };
}

function ownerAt(owners: readonly LocalAccount[], index: number): LocalAccount {
  const owner = owners[index % owners.length];
  if (owner === undefined) throw new RangeError("a network has an owner of its first node");
  return owner;
}
