import type { RunningComputeNode } from "@twentysix/compute-node";
import type { Scheduler } from "@twentysix/services";
import type { NodeConfig, Role } from "../config/index.ts";
import type { NodeSurroundings } from "./start-compute.ts";

/** What runs and places machines in this process; null where it has not that role. */
export interface CloudParts {
  readonly compute: RunningComputeNode | null;
  readonly scheduler: Scheduler | null;
  close(): Promise<void>;
}

export interface CloudPartsOptions extends NodeSurroundings {
  readonly roles: readonly Role[];
  /** Whom the compute node belongs to, unless its operator says. */
  readonly ownerAddress: string | null;
  /** Gives a start up. */
  readonly signal: AbortSignal;
}

/** Starts the compute node and the scheduler, as far as the process has these roles. */
export async function startCloudParts(config: NodeConfig, options: CloudPartsOptions): Promise<CloudParts> {
  const { roles, ownerAddress, signal, ...surroundings } = options;
  await using stack = new AsyncDisposableStack();
  // Loaded with the role alone: other nodes start sooner, and are smaller, without it.
  const start = roles.includes("crn") ? (await import("./start-compute.ts")).startCompute : null;
  const compute = start === null ? null : await start(config, surroundings, ownerAddress, signal);
  stack.defer(async () => compute?.close());
  const schedule = roles.includes("scheduler")
    ? (await import("./start-scheduling.ts")).startScheduling
    : null;
  const scheduler = schedule === null ? null : await schedule(config, surroundings);
  stack.defer(async () => scheduler?.close());
  const running = stack.move();
  return { compute, scheduler, close: () => running.disposeAsync() };
}
