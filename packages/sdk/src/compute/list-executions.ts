import { isJsonObject, type JsonObject, memberOf } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { getObject } from "../http/answer-json.ts";

/** A machine that a compute node has. */
export interface ExecutionObject {
  readonly itemHash: string;
  readonly isRunning: boolean;
  /** IPv4 address of the node, under which forwarded ports are reached; null where it is not known yet. */
  readonly hostIpv4: string | null;
  readonly guestIpv6: string | null;
  /** Ports of the node by ports of the guest. */
  readonly mappedPorts: Readonly<Record<string, number>>;
  /** As the node says it, with further members. */
  readonly raw: JsonObject;
}

/**
 * What a compute node runs, or has stopped and keeps.
 *
 * Errors: SDK_BAD_ANSWER and those of `request`.
 */
export async function listExecutions(
  connection: Connection,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly ExecutionObject[]> {
  const { value } = await getObject(connection, { path: "/v2/about/executions/list", signal });
  return Object.entries(value).flatMap(([itemHash, raw]) =>
    isJsonObject(raw) ? [executionObject(itemHash, raw)] : [],
  );
}

function executionObject(itemHash: string, raw: JsonObject): ExecutionObject {
  const networking = memberOf(raw, "networking");
  const network = isJsonObject(networking) ? networking : {};
  const text = (name: string): string | null => {
    const value = memberOf(network, name);
    return typeof value === "string" ? value : null;
  };
  return {
    itemHash,
    isRunning: memberOf(raw, "running") === true,
    hostIpv4: text("host_ipv4"),
    guestIpv6: text("ipv6_ip"),
    mappedPorts: mappedPorts(network),
    raw,
  };
}

function mappedPorts(network: JsonObject): Readonly<Record<string, number>> {
  const ports = memberOf(network, "mapped_ports");
  if (!isJsonObject(ports)) return {};
  return Object.fromEntries(
    Object.entries(ports).flatMap(([guestPort, mapping]) => {
      const host = isJsonObject(mapping) ? memberOf(mapping, "host") : undefined;
      return typeof host === "number" ? [[guestPort, host] as const] : [];
    }),
  );
}
