import { port } from "./common-fields.ts";
import { closedObject, list, optional, required, withDefault, withRules } from "./composite-checks.ts";
import { itemHash, oneOf, string, wideInteger } from "./scalar-checks.ts";
import type { Check } from "./validation.ts";

/** Platforms whose launch can be measured. A new platform is one entry here and one in `registersOf`. */
export type TeePlatform = "sev_snp" | "tdx";

export type SevSnpRegisters = { readonly launch: string };
export type TdxRegisters = {
  readonly mrtd: string;
  readonly rtmr1: string;
  readonly rtmr2: string;
  readonly mrconfigid: string;
};

/** What a verifier expects to be measured. Source: aleph-message `aleph_message/models/execution/environment.py`. */
export type LaunchMeasurement = {
  readonly platform: TeePlatform;
  readonly vcpu_type: string | null;
  /** 96 lower-case hexadecimal digits each. The older form `digest` is read as `registers.launch`. */
  readonly registers: SevSnpRegisters | TdxRegisters;
};

export type TrustedExecution = {
  /** Confidential firmware, of the SEV modes only. */
  readonly firmware: string | null;
  /** SEV bits, or the 64-bit SNP policy in `sev_snp` mode. */
  readonly policy: number | bigint;
  /** null is legacy SEV. */
  readonly mode: "sev" | TeePlatform | null;
  readonly runtime: string | null;
  readonly measurements: readonly LaunchMeasurement[] | null;
  /** null is the default of the runtime bundle. */
  readonly attestation_port: number | null;
};

/** Debugging of the guest is disallowed. */
const DEFAULT_SEV_POLICY = 1;
/** Reserved bit 17 and bit 16, simultaneous multithreading. */
export const DEFAULT_SNP_POLICY = 0x30000;
const SNP_RESERVED_BIT = 1n << 17n;

const register = string({ pattern: /^[0-9a-f]{96}$/ });

const registersOf: Readonly<Record<TeePlatform, Check<SevSnpRegisters | TdxRegisters>>> = {
  sev_snp: closedObject<SevSnpRegisters>({ launch: required(register) }),
  tdx: closedObject<TdxRegisters>({
    mrtd: required(register),
    rtmr1: required(register),
    rtmr2: required(register),
    mrconfigid: required(register),
  }),
};

type WrittenMeasurement = {
  readonly platform: TeePlatform;
  readonly vcpu_type: string | null;
  readonly digest: string | null;
  readonly registers: SevSnpRegisters | TdxRegisters | null;
};

const anyRegisters: Check<SevSnpRegisters | TdxRegisters> = (value, at) =>
  at.firstOf(value, { SevSnpRegisters: registersOf.sev_snp, TdxRegisters: registersOf.tdx });

const writtenMeasurement = withRules(
  closedObject<WrittenMeasurement>({
    platform: required(oneOf("sev_snp", "tdx")),
    vcpu_type: optional(string({ max: 64 })),
    digest: optional(register),
    registers: optional(anyRegisters),
  }),
  registersRule,
);

function registersRule({ platform, digest, registers }: WrittenMeasurement): string | null {
  if (digest !== null && registers !== null) return "digest and registers exclude each other";
  if (digest !== null) {
    return platform === "sev_snp" ? null : `platform '${platform}' declares registers, not a digest`;
  }
  if (registers === null) return "registers are required";
  const fits = platform === "sev_snp" ? "launch" in registers : "mrtd" in registers;
  return fits ? null : `the registers are not those of platform '${platform}'`;
}

export const launchMeasurement: Check<LaunchMeasurement> = (value, at) => {
  const written = writtenMeasurement(value, at);
  if (typeof written === "symbol") return written;
  const { platform, vcpu_type, digest, registers } = written;
  return { platform, vcpu_type, registers: registers ?? { launch: digest ?? "" } };
};

/** A measurement says nothing about a platform other than its own. */
export function measurementsRule(
  measurements: readonly LaunchMeasurement[],
  platform: string,
): string | null {
  const index = measurements.findIndex((measurement) => measurement.platform !== platform);
  if (index < 0) return null;
  return `measurements[${index}] declares platform '${measurements[index]?.platform}', which does not match '${platform}'`;
}

/** Why `policy` cannot be a SEV-SNP guest policy, or null. */
export function snpPolicyRule(policy: number | bigint): string | null {
  const bits = BigInt(policy);
  if (bits < 0n || bits >= 1n << 64n) return "a SEV-SNP guest policy is an unsigned 64-bit integer";
  return (bits & SNP_RESERVED_BIT) === 0n ? "a SEV-SNP guest policy must have bit 17 set" : null;
}

function measuredModeRule(tee: TrustedExecution): string | null {
  if (tee.mode !== "sev_snp" && tee.mode !== "tdx") {
    const extra = (["runtime", "measurements", "attestation_port"] as const).find((key) => tee[key] !== null);
    return extra === undefined ? null : `${extra} is only valid in the measured modes (sev_snp, tdx)`;
  }
  if (tee.firmware !== null) return `firmware must not be set in ${tee.mode} mode; use runtime instead`;
  if (tee.runtime === null) return `${tee.mode} mode requires runtime`;
  if (tee.measurements === null || tee.measurements.length === 0) {
    return `${tee.mode} mode requires measurements`;
  }
  const mismatch = measurementsRule(tee.measurements, tee.mode);
  if (mismatch !== null) return mismatch;
  if (tee.mode === "sev_snp") return snpPolicyRule(tee.policy);
  return Number(tee.policy) === DEFAULT_SEV_POLICY ? null : "tdx mode has no policy; leave it at its default";
}

export const trustedExecution = withRules(
  closedObject<TrustedExecution>({
    firmware: optional(itemHash),
    policy: withDefault(wideInteger(), () => DEFAULT_SEV_POLICY),
    mode: optional(oneOf("sev", "sev_snp", "tdx")),
    runtime: optional(itemHash),
    measurements: optional(list(launchMeasurement, { max: 16 })),
    attestation_port: optional(port),
  }),
  measuredModeRule,
);
