import { resolveTxt } from "node:dns/promises";
import type { AddressInfo, Server, Socket } from "node:net";
import type { NetworkControl } from "../control/control-services.ts";
import { createHttpRouter } from "../domains/http-router.ts";
import { InstanceDomains } from "../domains/instance-domains.ts";
import { createMachinePorts, type PortAddress } from "../domains/machine-ports.ts";
import { createTlsRouter } from "../domains/tls-router.ts";
import type { Executions } from "../executions/executions.ts";
import type { CoreNodes } from "../messages/core-nodes.ts";
import type { PortMappings, VmNetworks } from "../networking/vm-network.ts";
import type { ComputeNodeOptions } from "./compute-node-options.ts";

export interface DomainParts {
  readonly executions: Executions;
  readonly coreNodes: Pick<CoreNodes, "aggregate">;
  readonly networks: VmNetworks;
  readonly networkControl: Pick<NetworkControl, "addressesOf">;
  readonly ports: PortMappings;
  /** Of this node, once it listens. */
  readonly apiUrl: () => string;
}

/** What serves custom domains of instances. */
export interface Domains {
  readonly names: InstanceDomains;
  /** Where it listens; null: nowhere. */
  ports(): { readonly http: number | null; readonly tls: number | null };
  listen(): Promise<void>;
  close(): Promise<void>;
}

export function createDomains(options: ComputeNodeOptions, parts: DomainParts): Domains {
  const { domainPorts, apiHost, forwardHost, timers, clock } = options;
  const log = options.log.child({ part: "domains" });
  const { executions, coreNodes, networks, networkControl, ports: mappings, apiUrl } = parts;
  const names = new InstanceDomains({
    ...{ coreNodes, resolveTxt, timers, clock, log },
    executions: () => executions.list(),
  });
  const ports = createMachinePorts({
    get: (vmHash) => executions.get(vmHash),
    addressesOf: (vmHash) => networkControl.addressesOf(vmHash),
    portsOf: (vmHash) => mappings.of(vmHash),
    areReachable: networks.mode === "tap",
    forwardHost,
  });
  const find = (name: string, signal: AbortSignal): Promise<string | null> => names.find(name, signal);
  const http =
    domainPorts.http === null
      ? null
      : createHttpRouter({ find, ports, own: () => addressOf(apiUrl()), timers, log });
  const tls = domainPorts.tls === null ? null : createTlsRouter({ find, ports, timers, log });
  const visitors = new Set<Socket>();
  for (const server of [http, tls]) {
    server?.on("connection", (socket: Socket) => {
      visitors.add(socket);
      socket.once("close", () => visitors.delete(socket));
    });
  }
  return {
    names,
    ports: () => ({ http: portOf(http), tls: portOf(tls) }),
    async listen() {
      if (http !== null) await listening(http, apiHost, domainPorts.http ?? 0);
      if (tls !== null) await listening(tls, apiHost, domainPorts.tls ?? 0);
    },
    async close() {
      for (const server of [http, tls]) {
        if (server?.listening === true) server.close();
      }
      for (const socket of visitors) socket.destroy();
    },
  };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

const portOf = (server: Server | null): number | null =>
  server?.listening === true ? (server.address() as AddressInfo).port : null;

function addressOf(url: string): PortAddress {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  return { host: host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host, port: Number(port) };
}
