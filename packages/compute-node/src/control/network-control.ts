import type { Logger } from "@twentysix/platform";
import type { Execution } from "../executions/execution.ts";
import type { Executions } from "../executions/executions.ts";
import { vmKindOf } from "../executions/vm-kind.ts";
import type { CoreNodeClient } from "../messages/core-node-client.ts";
import { currentlyWantedPorts, forwardsOf, PORT_FORWARDING_KEY } from "../networking/port-forwarding.ts";
import type {
  MappedPort,
  PortMappings,
  VmNetworkRequest,
  VmNetworks,
  WantedPort,
} from "../networking/vm-network.ts";
import type { NetworkControl } from "./control-services.ts";
import { hostIpv4Of } from "./host-report.ts";

export interface NetworkControlParts {
  readonly executions: Executions;
  readonly networks: VmNetworks;
  readonly wantedPorts: WantedPorts;
  readonly ports: PortMappings;
  /** Of this host, where ports of user networks listen. */
  readonly forwardHost: string;
  readonly interfaceName: string | null;
}

export type WantedPorts = (execution: Execution, signal: AbortSignal) => Promise<readonly WantedPort[]>;

/** Which ports owners want, by their aggregates; those of last time while no core node answers. */
export function createWantedPorts(
  ports: PortMappings,
  coreNodes: Pick<CoreNodeClient, "aggregate">,
  log: Logger,
): WantedPorts {
  return async ({ vmHash, owner }, signal) => {
    const ask = () => coreNodes.aggregate(owner, PORT_FORWARDING_KEY, signal);
    const { wanted, failure } = await currentlyWantedPorts(vmHash, ports, ask);
    signal.throwIfAborted();
    if (failure !== null)
      log.warn("the ports of a machine could not be asked for", { vmHash, error: failure });
    return wanted;
  };
}

export function createNetworkControl(parts: NetworkControlParts): NetworkControl {
  const { executions, networks, ports, wantedPorts, forwardHost, interfaceName } = parts;
  return {
    isReachable: networks.mode === "tap",
    hostIpv4: () => hostIpv4Of(interfaceName),
    addressesOf(vmHash) {
      const execution = executions.get(vmHash);
      if (execution === null) return null;
      return networks.addressesOf({ vmHash, vmNumber: execution.vmNumber, kind: vmKindOf(execution) });
    },
    async refreshPorts(vmHash, signal) {
      const before = executions.get(vmHash);
      if (before?.state !== "running") return;
      const wanted = await wantedPorts(before, signal);
      // It may have ended while its owner's wishes were asked for; another one may have its number since.
      if (executions.get(vmHash)?.state !== "running") return;
      const mapped = await ports.assign(vmHash, wanted);
      const execution = executions.get(vmHash);
      if (execution === null) ports.release(vmHash);
      if (execution?.state !== "running") return;
      await networks.setPorts(requestOf(execution, mapped), signal);
      if (networks.mode === "user") {
        await executions.running(vmHash)?.setForwards(forwardsOf(mapped, forwardHost), signal);
      }
    },
    recreate(signal) {
      // A machine that is about to run, or to end, has its network already, or still.
      const present = executions.list().filter(({ state }) => HAS_NETWORK.has(state));
      const requests = present.map((execution) => requestOf(execution, ports.of(execution.vmHash)));
      return networks.recreate(requests, signal);
    },
  };
}

const HAS_NETWORK: ReadonlySet<Execution["state"]> = new Set(["starting", "running", "stopping"]);

function requestOf(execution: Execution, mappedPorts: readonly MappedPort[]): VmNetworkRequest {
  const { vmHash, vmNumber, content } = execution;
  const hasInternet = content.environment.internet;
  return { vmHash, vmNumber, kind: vmKindOf(execution), hasInternet, mappedPorts };
}
