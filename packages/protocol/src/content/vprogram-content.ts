import { emptyList, refField } from "./common-fields.ts";
import { closedObject, list, required, withDefault, withRules } from "./composite-checks.ts";
import { type ExecutableFields, executableFields } from "./executable.ts";
import { machineResources, strictMachineResources } from "./machine-resources.ts";
import { type Payment, payment } from "./payment.ts";
import { boolean, oneOf, strictBoolean, string, wideInteger } from "./scalar-checks.ts";
import {
  DEFAULT_SNP_POLICY,
  type LaunchMeasurement,
  launchMeasurement,
  measurementsRule,
  snpPolicyRule,
} from "./trusted-execution.ts";
import type { Check } from "./validation.ts";

/** A virtual machine whose every input is measured. Source: aleph-message `aleph_message/models/execution/vprogram.py`. */
export type VProgramContent = Omit<ExecutableFields, "payment" | "volumes"> & {
  readonly payment: Payment;
  readonly environment: { readonly internet: boolean };
  /** STORE message of the runtime manifest. */
  readonly runtime: { readonly ref: string; readonly comment: string };
  readonly workload: VerifiedFile;
  readonly verification: TeeVerification;
  /** Their position is meaningful. */
  readonly volumes: readonly (VerifiedFile & { readonly comment: string })[];
};

/** A file that its hash tree and the root of that tree vouch for. */
export type VerifiedFile = {
  readonly ref: string;
  readonly hash_tree: string;
  readonly roothash: string;
};

export type TeeVerification = {
  readonly backend: "sev_snp";
  /** 64-bit SEV-SNP guest policy. */
  readonly policy: number | bigint;
  readonly measurements: readonly LaunchMeasurement[];
};

const MAX_POLICY = 2n ** 64n - 1n;
const MAX_VERIFIED_VOLUMES = 8;

/** Reads with `strict` or `lenient` as the switch strictVProgramScalars says. */
function scalars<Value>(strict: Check<Value>, lenient: Check<Value>): Check<Value> {
  return (value, at) => (at.switches.strictVProgramScalars === true ? strict : lenient)(value, at);
}

const flag = scalars(strictBoolean, boolean);

const strictTime: Check<number> = (value, at) =>
  typeof value === "boolean"
    ? at.fail("float_type", "Input should be a valid number", value)
    : executableFields.time.check(value, at);

const comment = withDefault(string({ max: 1024 }), () => "");
const verifiedFile = {
  ref: refField,
  hash_tree: refField,
  roothash: required(string({ pattern: /^[0-9a-f]{64}$/ })),
};

const verification = withRules(
  closedObject<TeeVerification>({
    backend: required(oneOf("sev_snp")),
    policy: withDefault<number | bigint>(
      scalars(
        wideInteger({ min: 0, max: MAX_POLICY, strict: true }),
        wideInteger({ min: 0, max: MAX_POLICY }),
      ),
      () => DEFAULT_SNP_POLICY,
    ),
    measurements: required(list(launchMeasurement, { min: 1, max: 16 })),
  }),
  ({ policy }) => snpPolicyRule(policy),
  ({ measurements, backend }) => measurementsRule(measurements, backend),
);

function creditRule(content: VProgramContent): string | null {
  return content.payment.type === "credit" ? null : "a V-PROGRAM is paid with credits only";
}

/** An amendment would change the measured stack under a fixed identity. */
function immutableRule(content: VProgramContent): string | null {
  return content.allow_amend || content.replaces !== null
    ? "a V-PROGRAM cannot be amended: allow_amend must be false and replaces null"
    : null;
}

function unmeasuredInputsRule({ variables, authorized_keys }: VProgramContent): string | null {
  if (Object.keys(variables ?? {}).length > 0) return "variables would reach the guest unmeasured";
  return (authorized_keys ?? []).length > 0 ? "authorized_keys would reach the guest unmeasured" : null;
}

export const vprogramContent = withRules(
  closedObject<VProgramContent>({
    ...executableFields,
    time: required(scalars(strictTime, executableFields.time.check)),
    allow_amend: required(flag),
    resources: required(scalars(strictMachineResources, machineResources)),
    payment: required(payment),
    environment: required(
      closedObject<VProgramContent["environment"]>({ internet: withDefault(flag, () => false) }),
    ),
    runtime: required(closedObject<VProgramContent["runtime"]>({ ref: refField, comment })),
    workload: required(closedObject<VerifiedFile>(verifiedFile)),
    verification: required(verification),
    volumes: emptyList<VProgramContent["volumes"][number]>(
      list(closedObject<VProgramContent["volumes"][number]>({ ...verifiedFile, comment }), {
        max: MAX_VERIFIED_VOLUMES,
      }),
    ),
  }),
  creditRule,
  immutableRule,
  unmeasuredInputsRule,
);
