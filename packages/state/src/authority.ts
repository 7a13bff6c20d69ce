import { isOwnerItself, isSecurityAggregate, messageError } from "@twentysix/protocol";
import { actorOf, checkPermission, denied, isAuthorised, type Subject } from "./authorise.ts";
import { need, reject, type Stop, wait } from "./outcome.ts";
import type { ForgetDetail, PreparedMessage } from "./prepared.ts";
import { compareCopies } from "./rank-copies.ts";
import type { StateContext } from "./rules.ts";
import { findTarget, type Target } from "./target.ts";
import { missingFacts, type Need, type World } from "./world.ts";

/** The copy may do what it does; `owners` are those whose delegations it relies on. */
export interface Granted {
  readonly kind: "granted";
  readonly owners: readonly string[];
}

export type Authority = Granted | Exclude<Stop, null>;

/** A target of a FORGET by its hash. */
export interface FoundTarget {
  readonly hash: string;
  readonly target: Target;
}

/** By whose right does this copy of a message stand, whatever its type? */
export function authorityOf(world: World, context: StateContext, message: PreparedMessage): Authority {
  const { envelope, content } = message;
  if (content.detail.kind === "FORGET") {
    const found = findTargets(world, context, content.detail.hashes);
    return Array.isArray(found) ? forgetAuthority(world, context, message, content.detail, found) : found;
  }
  const stop = checkPermission(world, context.rules, message);
  if (stop !== null) return stop;
  return { kind: "granted", owners: isOwnerItself(envelope.sender, content.owner) ? [] : [content.owner] };
}

/** The messages that a FORGET names, or what stops it. */
export function findTargets(
  world: World,
  context: StateContext,
  hashes: readonly string[],
): FoundTarget[] | Exclude<Stop, null> {
  const unique = [...new Set(hashes)];
  const missing = missingFacts(
    world,
    unique.flatMap((hash) => targetNeeds(world, context, hash)),
  );
  if (missing.length > 0) return need(missing);
  const found: FoundTarget[] = [];
  const absent: string[] = [];
  for (const hash of unique) {
    const target = findTarget(world, context, hash);
    if (target === null) absent.push(hash);
    else found.push({ hash, target });
  }
  if (absent.length === 0) return found;
  return wait(
    messageError("FORGET_TARGET_NOT_FOUND", { errors: absent.map((hash) => ({ message: hash })) }),
    absent.map((hash) => `item:${hash}`),
  );
}

function targetNeeds(world: World, context: StateContext, hash: string): Need[] {
  const needs: Need[] = [{ table: "items", key: hash }];
  const item = world.facts.items.peek(hash);
  if (item && item.live === null && item.forgotten === null && context.rules.canonicalOrder) {
    needs.push({ table: "candidates", key: hash });
  }
  return needs;
}

/** May the signer of this copy forget all of these? One refusal refuses the whole FORGET. */
export function forgetAuthority(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  detail: ForgetDetail,
  found: readonly FoundTarget[],
): Authority {
  const actor = actorOf(message);
  const subjects = subjectsOf(context, message, detail, found);
  const foreign = subjects.filter(({ owner }) => !isOwnerItself(actor.sender, owner));
  const owners = [...new Set(foreign.map(({ owner }) => owner))];
  const missing = missingFacts(
    world,
    owners.map((owner) => ({ table: "security" as const, key: owner })),
  );
  if (missing.length > 0) return need(missing);
  for (const subject of foreign) {
    if (context.rules.acceptedBefore || isAuthorised(world, context.rules, actor, subject)) continue;
    return denied(actor.sender, subject.owner);
  }
  if (context.rules.canonicalOrder && owners.length > 0 && subjects.some(isSecurityAggregate))
    return mixedDelegations();
  return { kind: "granted", owners };
}

/**
 * What the filters of delegations look at. Under canonical order the chain is that on which the FORGET is signed,
 * and there is no channel: neither may depend on which copies of the target have arrived, so a delegation for
 * certain channels gives no right to forget.
 */
function subjectsOf(
  context: StateContext,
  { envelope, content }: PreparedMessage,
  detail: ForgetDetail,
  found: readonly FoundTarget[],
): Subject[] {
  const targets = found.map(({ target }) => target);
  if (!context.rules.canonicalOrder) return targets;
  const signed = { chain: envelope.chain, channel: null };
  return [
    ...targets.map(({ owner, type, label }) => ({ owner, type, label, ...signed })),
    ...detail.aggregates.map((label) => ({
      owner: content.owner,
      type: "AGGREGATE" as const,
      label,
      ...signed,
    })),
  ];
}

/**
 * Whether delegations are forgotten must not itself hang on delegations: two owners could forget each other's in a
 * circle, with no order to break it.
 */
function mixedDelegations(): Authority {
  const reason = "A FORGET of elements of a security aggregate can name only what belongs to its sender";
  return reject(messageError("PERMISSION_DENIED", { errors: [reason] }));
}

/** A copy of a live message with the right it stands by. */
export interface RankedCopy {
  readonly message: PreparedMessage;
  readonly owners: readonly string[];
}

/** What relies on nobody's delegation first: it cannot be taken back. */
export function compareRanked(a: RankedCopy, b: RankedCopy): number {
  const reliance = Number(a.owners.length > 0) - Number(b.owners.length > 0);
  return reliance === 0 ? compareCopies(a.message, b.message) : reliance;
}
