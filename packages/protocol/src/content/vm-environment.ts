import { isJsonObject, memberOf } from "../json/json-value.ts";
import { openObject, optional, withDefault } from "./composite-checks.ts";
import { boolean, oneOf } from "./scalar-checks.ts";
import { type TrustedExecution, trustedExecution } from "./trusted-execution.ts";
import { type Check, INVALID } from "./validation.ts";

/** Source: aleph-message `aleph_message/models/execution/environment.py`. */
export type FunctionEnvironment = {
  readonly reproducible: boolean;
  readonly internet: boolean;
  readonly aleph_api: boolean;
  readonly shared_cache: boolean;
};

export type InstanceEnvironment = FunctionEnvironment & {
  /** null means qemu, except where a rule asks for qemu in writing. */
  readonly hypervisor: "qemu" | "firecracker" | null;
  readonly trusted_execution: TrustedExecution | null;
};

const flag = withDefault(boolean, () => false);
const flags = { reproducible: flag, internet: flag, aleph_api: flag, shared_cache: flag };

const functionEnvironment = openObject<FunctionEnvironment>(flags);

const writtenInstanceEnvironment = openObject<InstanceEnvironment>({
  ...flags,
  hypervisor: optional(oneOf("qemu", "firecracker")),
  trusted_execution: optional(trustedExecution),
});

/** An empty `trusted_execution` asks for nothing, so it needs no hypervisor. */
export const instanceEnvironment: Check<InstanceEnvironment> = (value, at) => {
  const environment = writtenInstanceEnvironment(value, at);
  if (environment === INVALID || !isJsonObject(value)) return INVALID;
  const written = memberOf(value, "trusted_execution");
  const asked = isJsonObject(written) && Object.keys(written).length > 0;
  if (asked && environment.hypervisor !== "qemu") {
    return at.failAt(
      "trusted_execution",
      "value_error",
      "Value error, trusted_execution needs hypervisor 'qemu', written explicitly",
    );
  }
  return environment;
};

/** Environment of a program: keys of an instance are read when they are well-formed, ignored otherwise. */
export const programEnvironment: Check<FunctionEnvironment | InstanceEnvironment> = (value, at) => {
  const hasInstanceKeys =
    isJsonObject(value) && (Object.hasOwn(value, "hypervisor") || Object.hasOwn(value, "trusted_execution"));
  if (!hasInstanceKeys) return functionEnvironment(value, at);
  return at.firstOf<FunctionEnvironment | InstanceEnvironment>(value, {
    InstanceEnvironment: instanceEnvironment,
    FunctionEnvironment: functionEnvironment,
  });
};
