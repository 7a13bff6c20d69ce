import { port } from "./common-fields.ts";
import { list, openObject, optional, withDefault } from "./composite-checks.ts";
import { integer, oneOf } from "./scalar-checks.ts";

export type PublishedPort = { readonly protocol: "tcp" | "udp"; readonly port: number };

/** Source: aleph-message `aleph_message/models/execution/environment.py`. */
export type MachineResources = {
  readonly vcpus: number;
  /** MiB. */
  readonly memory: number;
  /** Longest execution. */
  readonly seconds: number;
  readonly published_ports: readonly PublishedPort[] | null;
};

const MAX_VCPUS = 256;
const MAX_MEMORY_MIB = 1_048_576;
/** About ten years. */
const MAX_SECONDS = 315_360_000;

function resourcesCheck(strict: boolean) {
  return openObject<MachineResources>({
    vcpus: withDefault(integer({ min: 1, max: MAX_VCPUS, strict }), () => 1),
    memory: withDefault(integer({ min: 1, max: MAX_MEMORY_MIB, strict }), () => 128),
    seconds: withDefault(integer({ min: 1, max: MAX_SECONDS, strict }), () => 1),
    published_ports: optional(
      list(
        openObject<PublishedPort>({
          protocol: withDefault(oneOf("tcp", "udp"), () => "tcp"),
          port: { check: strict ? integer({ min: 1, max: 65_535, strict }) : port, whenAbsent: undefined },
        }),
      ),
    ),
  });
}

export const machineResources = resourcesCheck(false);
export const strictMachineResources = resourcesCheck(true);
