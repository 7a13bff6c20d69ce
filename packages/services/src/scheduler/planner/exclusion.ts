/** Why a node cannot have a machine: the first rule that it breaks. */
export interface Exclusion {
  readonly rule: number;
  readonly code: ExclusionCode;
  /** The same for all nodes that are excluded for the same cause, so that they can be counted. */
  readonly text: string;
}

export type ExclusionCode =
  | "not_registered"
  | "not_linked"
  | "unreachable"
  | "not_polled"
  | "no_address"
  | "draining"
  | "refuses_scheduler"
  | "migrating"
  | "other_node_wanted"
  | "other_owner_wanted"
  | "address_mismatch"
  | "terms_mismatch"
  | "no_public_ipv6"
  | "no_qemu"
  | "no_confidential"
  | "cpu_mismatch"
  | "no_gpu"
  | "other_receiver"
  | "too_few_vcpus"
  | "too_little_memory"
  | "too_little_disk"
  | "unknown_size"
  | "refused"
  | "country"
  | "asn"
  | "price"
  | "spread";

export const exclusion = (rule: number, code: ExclusionCode, text: string): Exclusion => ({
  rule,
  code,
  text,
});

/** `12 nodes: 7 no public IPv6, 4 too little memory, 1 unreachable`, the most frequent first. */
export function exclusionSummary(exclusions: readonly Exclusion[]): string {
  if (exclusions.length === 0) return "no node is known";
  const counts = new Map<string, number>();
  for (const { text } of exclusions) counts.set(text, (counts.get(text) ?? 0) + 1);
  const parts = [...counts]
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .map(([text, count]) => `${count} ${text}`);
  return `${exclusions.length} ${exclusions.length === 1 ? "node" : "nodes"}: ${parts.join(", ")}`;
}
