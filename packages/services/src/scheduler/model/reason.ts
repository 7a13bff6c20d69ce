/** Why a machine is not where it should be, or was moved. */
export type ReasonCode =
  | "deleted"
  | "payment_removed"
  | "payment_invalidated"
  | "payment_unchecked"
  | "node_removed"
  | "node_unlinked"
  | "node_unreachable"
  | "node_ineligible"
  | "node_refused"
  | "node_without_it"
  | "requirements_changed"
  | "operator"
  | "no_node"
  | "failover_limit"
  | "alive_elsewhere_seen"
  | "migration_failed"
  | "second_copy_kept";

export interface Reason {
  readonly code: ReasonCode;
  readonly text: string;
}

/** As history rows write it: `code`, or `code: text`. */
export const reasonText = ({ code, text }: Reason): string => (text === "" ? code : `${code}: ${text}`);
