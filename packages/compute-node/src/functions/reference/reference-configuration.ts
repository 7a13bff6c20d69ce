import type { ProgramContent } from "@twentysix/protocol";
import { FIRST_VERSION } from "./version-listener.ts";

export interface ReferenceVolume {
  readonly mount: string;
  readonly device: string;
  readonly isReadOnly: boolean;
}

export interface ReferenceProgram {
  readonly vmHash: string;
  readonly content: ProgramContent;
  readonly interface: "asgi" | "executable";
  /** Empty for code in an image, which is the first volume then. */
  readonly code: Uint8Array;
  readonly data: Uint8Array | null;
  readonly volumes: readonly ReferenceVolume[];
  readonly network: {
    readonly ip: string;
    readonly route: string;
    readonly ipv6: string | null;
    readonly ipv6Gateway: string | null;
  } | null;
  readonly dnsServers: readonly string[];
}

/**
 * What a guest of the reference is told of its program. One of version 1.0.0 refuses keys that it does not know.
 *
 * Source: aleph-vm `controllers/firecracker/program.py`.
 */
export function referenceConfiguration(version: string, program: ReferenceProgram): Record<string, unknown> {
  const { content, network } = program;
  const first = {
    input_data: program.data,
    interface: program.interface,
    vm_hash: program.vmHash,
    encoding: content.code.encoding,
    entrypoint: content.code.entrypoint,
    code: program.code,
    ip: network?.ip ?? null,
    route: network?.route ?? null,
    dns_servers: [...program.dnsServers],
    volumes: program.volumes.map(({ mount, device, isReadOnly }) => ({
      mount,
      device,
      read_only: isReadOnly,
    })),
    variables: content.variables,
  };
  if (version === FIRST_VERSION) return first;
  return {
    ...first,
    ipv6: network?.ipv6 ?? null,
    ipv6_gateway: network?.ipv6Gateway ?? null,
    authorized_keys: content.authorized_keys,
  };
}
