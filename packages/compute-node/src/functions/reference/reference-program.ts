import { readFile } from "node:fs/promises";
import type { ConfigurationParts } from "../program/configuration.ts";
import type { ReferenceProgram } from "./reference-configuration.ts";

/** Of a guest on QEMU's own network: its address, its way out and its name server are always these. */
const USER_NETWORK = { ip: "10.0.2.15", route: "10.0.2.2", ipv6: null, ipv6Gateway: null } as const;
const USER_NAME_SERVER = "10.0.2.3";

/** What a program is made of, as a guest of the reference is told of it. */
export async function referenceProgram(parts: ConfigurationParts): Promise<ReferenceProgram> {
  const { vmHash, content, plan, files, drives, placed, network } = parts;
  return {
    vmHash,
    content,
    interface: plan.interface,
    code: plan.code.isImage ? new Uint8Array() : await readFile(files.code.path),
    data: files.data === null ? null : await readFile(files.data.path),
    volumes: drives.map((drive) => ({
      mount: drive.mount,
      device: placed.deviceOf(drive),
      isReadOnly: drive.isReadOnly,
    })),
    network: network === null ? null : networkOf(network),
    dnsServers: network?.spec.kind === "tap" ? parts.dnsServers : [USER_NAME_SERVER],
  };
}

function networkOf({
  spec,
  addresses,
}: Exclude<ConfigurationParts["network"], null>): ReferenceProgram["network"] {
  if (spec.kind !== "tap") return USER_NETWORK;
  const prefix = addresses.ipv6Network.slice(addresses.ipv6Network.indexOf("/"));
  return {
    ip: addresses.guestIpv4,
    route: addresses.hostIpv4,
    ipv6: `${addresses.guestIpv6}${prefix}`,
    ipv6Gateway: addresses.hostIpv6,
  };
}
