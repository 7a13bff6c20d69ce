import { closedObject, list, optional, required } from "./composite-checks.ts";
import { pythonRegexProblem } from "./python-regex/python-regex.ts";
import { itemHash, oneOf, string } from "./scalar-checks.ts";
import { type Check, INVALID } from "./validation.ts";

/** Where a VM may run. Source: aleph-message `aleph_message/models/execution/environment.py`. */
export type HostRequirements = {
  readonly cpu: CpuProperties | null;
  readonly node: NodeRequirements | null;
  readonly gpu: readonly GpuProperties[] | null;
};

export type CpuProperties = {
  readonly architecture: "x86_64" | "arm64" | null;
  readonly vendor: string | null;
  readonly features: readonly string[] | null;
};

export type NodeRequirements = {
  readonly owner: string | null;
  /** A regular expression in Python's syntax. */
  readonly address_regex: string | null;
  readonly node_hash: string | null;
  readonly terms_and_conditions: string | null;
};

export type GpuProperties = {
  readonly vendor: string;
  readonly device_name: string;
  /** PCI class: VGA controller or 3D controller. */
  readonly device_class: "0300" | "0302";
  readonly device_id: string;
};

const text256 = string({ max: 256 });

const addressRegex: Check<string> = (value, at) => {
  const pattern = text256(value, at);
  if (pattern === INVALID) return INVALID;
  const problem = pythonRegexProblem(pattern);
  if (problem === null) return pattern;
  return at.fail("value_error", `Value error, Invalid regular expression: ${problem}`, value);
};

export const hostRequirements = closedObject<HostRequirements>({
  cpu: optional(
    closedObject<CpuProperties>({
      architecture: optional(oneOf("x86_64", "arm64")),
      vendor: optional(string()),
      features: optional(list(string())),
    }),
  ),
  node: optional(
    closedObject<NodeRequirements>({
      owner: optional(string()),
      address_regex: optional(addressRegex),
      node_hash: optional(itemHash),
      terms_and_conditions: optional(itemHash),
    }),
  ),
  gpu: optional(
    list(
      closedObject<GpuProperties>({
        vendor: required(string()),
        device_name: required(string()),
        device_class: required(oneOf("0300", "0302")),
        device_id: required(string()),
      }),
    ),
  ),
});
