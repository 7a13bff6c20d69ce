import {
  type AuthorizationRequest,
  authorizationsOf,
  authorizes,
  isOwnerItself,
  messageError,
} from "@twentysix/protocol";
import {
  compareVersions,
  type ForgottenMessage,
  type LiveMessage,
  type SecurityElement,
  type Version,
} from "./facts.ts";
import { need, type Refused, reject, type Stop } from "./outcome.ts";
import type { PreparedMessage } from "./prepared.ts";
import type { StateRules } from "./rules.ts";
import { parentOfContent } from "./target.ts";
import { missingFacts, type World } from "./world.ts";

/** Who acts: the signer of a copy, at its place in the canonical order. */
export interface Actor extends Version {
  readonly sender: string;
}

/** What the permission filters look at. */
export type Subject = Pick<AuthorizationRequest, "type" | "chain" | "channel" | "label"> & {
  readonly owner: string;
};

/** The place of a copy in the canonical order, and its signer. */
export function actorOf(message: PreparedMessage): Actor {
  return {
    sender: message.envelope.sender,
    timeMicros: message.content.timeMicros,
    hash: message.envelope.itemHash,
  };
}

/**
 * May `actor` act on `subject` on behalf of its owner? Needs `security` of the owner when they differ.
 *
 * Without `canonicalOrder` the delegations held now decide; with it, those in force at the actor's place in
 * the canonical order, so that every node that knows the same messages decides alike.
 */
export function isAuthorised(world: World, rules: StateRules, actor: Actor, subject: Subject): boolean {
  if (isOwnerItself(actor.sender, subject.owner)) return true;
  if (rules.securityAggregateOwnerOnly && subject.type === "AGGREGATE" && subject.label === "security")
    return false;
  const elements = world.index.security.get(subject.owner) ?? [];
  const inForce = delegationInForce(elements, rules.canonicalOrder ? actor : null);
  if (inForce === null) return false;
  const request: AuthorizationRequest = { ...subject, sender: actor.sender };
  return authorizationsOf(inForce.authorizationsText).some((entry) => authorizes(entry, request));
}

/** The newest element, or the newest before `at`. */
function delegationInForce(elements: readonly SecurityElement[], at: Version | null): SecurityElement | null {
  let best: SecurityElement | null = null;
  for (const element of elements) {
    if (at !== null && compareVersions(element, at) >= 0) continue;
    if (best === null || compareVersions(element, best) > 0) best = element;
  }
  return best;
}

/**
 * The permission check of every type but FORGET, whose targets are checked one by one.
 *
 * An amend by a delegate is judged by the message it amends: the delegate needs the right to create that one.
 * Source: pyaleph `src/aleph/permissions.py`. Under canonical order chain and channel are always those of the
 * copy that is judged: the channel of another message is whatever a relay made of it.
 */
export function checkPermission(world: World, rules: StateRules, message: PreparedMessage): Stop {
  const { envelope, content } = message;
  if (content.detail.kind === "FORGET" || isOwnerItself(envelope.sender, content.owner)) return null;
  const amended = content.detail.kind === "POST" ? content.detail.amends : null;
  const missing = missingFacts(world, [
    { table: "security", key: content.owner },
    ...(amended === null ? [] : [{ table: "items" as const, key: amended }]),
  ]);
  if (missing.length > 0) return need(missing);
  const original = amended === null ? null : originalOf(world, rules, amended);
  // What this copy revises may be forgotten, and the copy with it, whoever signed it.
  const revised = parentOfContent(message);
  const extraWaits = revised === null ? [] : [`item:${revised}`];
  if (original !== null && !isOwnerItself(original.owner, content.owner)) {
    return denied(envelope.sender, content.owner, extraWaits);
  }
  const own = { type: envelope.type, chain: envelope.chain, channel: envelope.channel, label: content.label };
  const subject: Subject = {
    ...own,
    ...(original === null ? {} : pick(original, rules)),
    owner: content.owner,
  };
  return isAuthorised(world, rules, actorOf(message), subject)
    ? null
    : denied(envelope.sender, content.owner, extraWaits);
}

function originalOf(world: World, rules: StateRules, hash: string): LiveMessage | ForgottenMessage | null {
  return world.live(hash) ?? (rules.canonicalOrder ? world.forgotten(hash) : null);
}

function pick(original: LiveMessage | ForgottenMessage, rules: StateRules): Partial<Subject> {
  const { type, label, chain, channel } = original;
  return rules.canonicalOrder ? { type, label } : { type, label, chain, channel };
}

/** Refusal (2); a later change of the owner's delegations may lift it. */
export function denied(sender: string, owner: string, extraWaits: readonly string[] = []): Refused {
  return reject(
    messageError("PERMISSION_DENIED", {
      errors: [`Sender ${sender} is not authorized to post on behalf of address ${owner}`],
    }),
    [`security:${owner}`, ...extraWaits],
  );
}
