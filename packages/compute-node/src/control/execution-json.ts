import { type JsonValue, stringifyJson } from "@twentysix/protocol";
import { awaitsOwner } from "../executions/confidential.ts";
import type { Execution } from "../executions/execution.ts";
import { vmKindOf } from "../executions/vm-kind.ts";
import type { MappedPort, VmAddresses, VmKind } from "../networking/vm-network.ts";
import { spacedDate, spacedDateOrNull } from "./http/dates.ts";

/** A program that only visitors keep is on demand, whatever its message says: schedulers would count it as placed. */
function listedKind(execution: Execution): VmKind {
  return execution.isPersistent
    ? vmKindOf(execution)
    : execution.kind === "instance"
      ? "instance"
      : "microvm";
}

/** An entry of `/about/executions/list`. Source: aleph-vm `views/__init__.py` (list_executions). */
export function listEntryV1(execution: Execution, { ipv4Network, ipv6Network }: VmAddresses): object {
  return {
    networking: { ipv4: ipv4Network, ipv6: ipv6Network },
    vm_type: listedKind(execution),
    awaiting_confidential_init: awaitsOwner(execution),
  };
}

export interface NetworkingFacts {
  readonly addresses: VmAddresses | null;
  readonly hostIpv4: string;
  readonly ports: readonly MappedPort[];
  readonly isReachable: boolean;
}

/**
 * An entry of `/v2/about/executions/list`. The addresses follow from the machine, so they are told from the beginning:
 * one client cannot read an entry without them. What is ours: `state`, `desired`, `reason`, `mode`, `reachable`.
 */
export function listEntryV2(execution: Execution, networking: NetworkingFacts): object {
  const { times, state, desired, reason, mode } = execution;
  return {
    networking: networkingJson(networking),
    status: {
      defined_at: spacedDate(times.definedAtMs),
      preparing_at: spacedDateOrNull(times.preparingAtMs),
      prepared_at: spacedDateOrNull(times.preparedAtMs),
      starting_at: spacedDateOrNull(times.startingAtMs),
      started_at: spacedDateOrNull(times.startedAtMs),
      stopping_at: spacedDateOrNull(times.stoppingAtMs),
      stopped_at: spacedDateOrNull(times.stoppedAtMs),
    },
    running: state === "running",
    awaiting_confidential_init: awaitsOwner(execution),
    vm_type: listedKind(execution),
    mode,
    state,
    desired,
    reason: reason === null ? null : { code: reason.code, text: reason.text, at: spacedDate(reason.atMs) },
  };
}

function networkingJson({ addresses, hostIpv4, ports, isReachable }: NetworkingFacts): object {
  if (addresses === null) return {};
  return {
    ipv4_network: addresses.ipv4Network,
    host_ipv4: hostIpv4,
    ipv6_network: addresses.ipv6Network,
    ipv6_ip: addresses.guestIpv6,
    ipv4_ip: addresses.guestIpv4,
    mapped_ports: Object.fromEntries(
      ports.map(({ guestPort, hostPort, tcp, udp }) => [String(guestPort), { host: hostPort, tcp, udp }]),
    ),
    reachable: isReachable,
  };
}

/**
 * A row of `/about/executions/records`. Anybody may read it: what owners put into variables, and their keys, are left
 * out of the message, unlike in the reference.
 */
export function recordJson(execution: Execution, ports: readonly MappedPort[]): object {
  const { times, content, resolved, reason } = execution;
  const { vcpus, memory } = content.resources;
  return {
    uuid: `${execution.vmHash}-${times.definedAtMs}`,
    vm_hash: execution.vmHash,
    vm_id: execution.vmNumber,
    time_defined: spacedDate(times.definedAtMs),
    time_prepared: spacedDateOrNull(times.preparedAtMs),
    time_started: spacedDateOrNull(times.startedAtMs),
    time_stopping: spacedDateOrNull(times.stoppingAtMs),
    cpu_time_user: null,
    cpu_time_system: null,
    io_read_count: null,
    io_write_count: null,
    io_read_bytes: null,
    io_write_bytes: null,
    vcpus,
    memory,
    network_tap: `vmtap${execution.vmNumber}`,
    message: publicText(resolved),
    original_message: publicText(content),
    persistent: execution.isPersistent,
    gpus: "[]",
    mapped_ports: Object.fromEntries(ports.map((port) => [String(port.guestPort), port.hostPort])),
    state: execution.state,
    time_stopped: spacedDateOrNull(times.stoppedAtMs),
    reason: reason?.code ?? null,
  };
}

function publicText(content: Execution["content"]): string {
  return jsonText({ ...content, variables: null, authorized_keys: null });
}

/** Everything about a machine, for the operator. */
export function detailsJson(execution: Execution): object {
  return { ...execution, is_running: execution.state === "running" };
}

/** Contents have integers that JSON of the platform cannot write. */
export function jsonText(value: object): string {
  return stringifyJson(value as unknown as JsonValue);
}
