import type { LatestRef } from "./common-fields.ts";
import { closedObject, list, openObject, optional, required, withRules } from "./composite-checks.ts";
import { type ExecutableFields, executableFields } from "./executable.ts";
import { string } from "./scalar-checks.ts";
import type { Validation } from "./validation.ts";
import { type InstanceEnvironment, instanceEnvironment } from "./vm-environment.ts";
import { latestRef, persistentSizeMib, type VolumePersistence, volumePersistence } from "./volumes.ts";

/** Source: aleph-message `aleph_message/models/execution/instance.py`. */
export type InstanceContent = ExecutableFields & {
  readonly environment: InstanceEnvironment;
  readonly rootfs: RootfsVolume;
};

export type RootfsVolume = {
  readonly parent: LatestRef;
  readonly persistence: VolumePersistence;
  readonly size_mib: number;
  readonly forgotten_by: readonly string[] | null;
};

type Rule = (content: InstanceContent, at: Validation) => string | null;

function namesNode({ requirements }: InstanceContent): boolean {
  return (requirements?.node?.node_hash ?? null) !== null;
}

/** A stream is paid to one node; older schemas bind credits to a node as well. */
const nodeRule: Rule = (content, at) => {
  const type = content.payment?.type;
  const bound =
    type === "superfluid" || (type === "credit" && at.switches.creditInstancesWithoutNode !== true);
  return content.requirements !== null && bound && !namesNode(content)
    ? `requirements.node.node_hash is needed for ${type} payments`
    : null;
};

const gpuRule: Rule = (content, at) => {
  if ((content.requirements?.gpu ?? []).length === 0) return null;
  const anyNode = content.payment?.type === "credit" && at.switches.creditInstancesWithoutNode === true;
  if (!anyNode && !namesNode(content)) return "requirements.node.node_hash is needed for GPU support";
  return content.environment.hypervisor === "qemu" ? null : "GPUs need hypervisor 'qemu', written explicitly";
};

const termsRule: Rule = (content) => {
  if ((content.requirements?.node?.terms_and_conditions ?? null) === null) return null;
  if (!namesNode(content)) return "terms_and_conditions needs requirements.node.node_hash";
  const type = content.payment?.type ?? "hold";
  return type === "hold" && content.environment.trusted_execution === null
    ? "terms_and_conditions is for streamed, credit-paid or confidential instances"
    : null;
};

const measuredPaymentRule: Rule = ({ environment, payment }) => {
  const mode = environment.trusted_execution?.mode;
  const measured = mode === "sev_snp" || mode === "tdx";
  return measured && payment?.type !== "credit"
    ? `${mode} confidential instances are paid with credits only`
    : null;
};

export const instanceContent = withRules(
  closedObject<InstanceContent>({
    ...executableFields,
    environment: required(instanceEnvironment),
    rootfs: required(
      openObject<RootfsVolume>({
        parent: required(latestRef),
        persistence: required(volumePersistence),
        size_mib: required(persistentSizeMib),
        forgotten_by: optional(list(string())),
      }),
    ),
  }),
  nodeRule,
  gpuRule,
  termsRule,
  measuredPaymentRule,
);
