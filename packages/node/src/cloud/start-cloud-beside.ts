import type { CoreNode } from "@twentysix/core-node";
import { createSystemRandom } from "@twentysix/platform";
import type { NodeConfig } from "../config/index.ts";
import { reachableUrl } from "../reachable-url.ts";
import { rolesOf } from "../roles.ts";
import { type CloudParts, startCloudParts } from "./start-cloud-parts.ts";
import type { NodeSurroundings } from "./start-compute.ts";

/** The parts that run and place machines beside a core node; where everybody has the keys, they register themselves. */
export async function startCloudBeside(
  config: NodeConfig,
  options: Omit<NodeSurroundings, "coreNodeUrls" | "random"> & {
    readonly core: CoreNode;
    readonly signal: AbortSignal;
  },
): Promise<CloudParts> {
  const { core, ...surroundings } = options;
  const { definition, timers, log } = surroundings;
  const roles = rolesOf(config, definition);
  const machines = roles.includes("crn") ? await import("./register-machine.ts") : null;
  await using stack = new AsyncDisposableStack();
  const parts = await startCloudParts(config, {
    ...surroundings,
    roles,
    ownerAddress: machines?.publishedOwner(definition)?.address ?? null,
    coreNodeUrls: config.coreNodes.length > 0 ? config.coreNodes : [reachableUrl(core.apiUrl)],
    random: createSystemRandom(),
  });
  stack.defer(() => parts.close());
  if (machines !== null && parts.compute !== null && roles.includes("authority")) {
    const [peerAddress = ""] = core.peerAddresses();
    const computeUrl = reachableUrl(parts.compute.apiUrl);
    const machine = { definition, apiUrl: reachableUrl(core.apiUrl), peerAddress, computeUrl, timers, log };
    stack.use(machines.registerMachine(machine));
  }
  const running = stack.move();
  return { ...parts, close: () => running.disposeAsync() };
}
