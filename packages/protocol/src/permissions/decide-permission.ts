import type { ErrorDetails } from "../errors/error-table.ts";
import type { ProtocolSwitches } from "../switches/protocol-switches.ts";
import {
  type Authorization,
  type AuthorizationRequest,
  authorizes,
  SECURITY_AGGREGATE_KEY,
} from "./authorization.ts";
import { isOwnerItself } from "./owner.ts";

/** Why a message was allowed or not. */
export type PermissionDecision =
  | { readonly allowed: true; readonly by: "owner" }
  | { readonly allowed: true; readonly by: "delegation"; readonly entry: Authorization }
  | {
      readonly allowed: false;
      readonly by: "no-delegation" | "security-is-owners-only";
      readonly details: ErrorDetails["PERMISSION_DENIED"];
    };

/**
 * May the sender of `request` act on behalf of `owner`, whose delegations are `entries`?
 *
 * For an amend by a delegate give the message that it amends as the request, for a FORGET each target in turn.
 */
export function decidePermission(
  owner: string,
  request: AuthorizationRequest,
  entries: readonly Authorization[],
  switches: Partial<Pick<ProtocolSwitches, "securityAggregateOwnerOnly">> = {},
): PermissionDecision {
  if (isOwnerItself(request.sender, owner)) return { allowed: true, by: "owner" };
  const guarded = switches.securityAggregateOwnerOnly === true && isSecurityAggregate(request);
  const entry = guarded ? undefined : entries.find((candidate) => authorizes(candidate, request));
  if (entry !== undefined) return { allowed: true, by: "delegation", entry };
  return {
    allowed: false,
    by: guarded ? "security-is-owners-only" : "no-delegation",
    details: {
      errors: [`Sender ${request.sender} is not authorized to post on behalf of address ${owner}`],
    },
  };
}

/** The request writes or forgets an element of a `security` aggregate. */
export function isSecurityAggregate({ type, label }: Pick<AuthorizationRequest, "type" | "label">): boolean {
  return type === "AGGREGATE" && label === SECURITY_AGGREGATE_KEY;
}
