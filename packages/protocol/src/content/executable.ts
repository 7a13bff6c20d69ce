import { type CommonFields, commonFields, emptyList, tagList } from "./common-fields.ts";
import { list, optional, record, required } from "./composite-checks.ts";
import { type HostRequirements, hostRequirements } from "./host-requirements.ts";
import { type MachineResources, machineResources } from "./machine-resources.ts";
import { type Payment, payment } from "./payment.ts";
import { boolean, string } from "./scalar-checks.ts";
import type { Check } from "./validation.ts";
import { type MachineVolume, machineVolume } from "./volumes.ts";

type Scalar = string | number | bigint | boolean | null;

/** What all virtual machines share. Source: aleph-message `aleph_message/models/execution/abstract.py`. */
export type ExecutableFields = CommonFields & {
  readonly allow_amend: boolean;
  readonly metadata: { readonly [key: string]: Scalar | readonly string[] } | null;
  readonly authorized_keys: readonly string[] | null;
  readonly variables: { readonly [key: string]: string } | null;
  readonly resources: MachineResources;
  /** null means hold. */
  readonly payment: Payment | null;
  readonly requirements: HostRequirements | null;
  readonly volumes: readonly MachineVolume[];
  /** Item hash of the VM that this one updates. */
  readonly replaces: string | null;
};

const MAX_ENTRIES = 256;
const MAX_VOLUMES = 256;

const scalar: Check<Scalar> = (value, at) => {
  if (typeof value === "string") return metadataText(value, at);
  if (value === null || typeof value !== "object") return value;
  return at.fail(
    "value_error",
    "Value error, metadata values must be scalars (string, number, boolean or null)",
  );
};
const metadataText = string({ max: 512 });

export const metadata = record<Scalar | readonly string[]>(
  {
    key: string({ max: 64 }),
    value: (key): Check<Scalar | readonly string[]> => (key === "tags" ? tagList : scalar),
  },
  { max: MAX_ENTRIES },
);

const variableValue = string({ max: 4096 });

export const executableFields = {
  ...commonFields,
  allow_amend: required(boolean),
  metadata: optional(metadata),
  authorized_keys: optional(list(string({ max: 8192 }), { max: MAX_ENTRIES })),
  variables: optional(
    record<string>({ key: string({ max: 128 }), value: () => variableValue }, { max: MAX_ENTRIES }),
  ),
  resources: required(machineResources),
  payment: optional(payment),
  requirements: optional(hostRequirements),
  volumes: emptyList<MachineVolume>(list(machineVolume, { max: MAX_VOLUMES })),
  replaces: optional(string({ max: 128 })),
};
