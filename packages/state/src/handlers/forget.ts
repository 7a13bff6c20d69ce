import { isOwnerItself, messageError } from "@twentysix/protocol";
import { actorOf, denied, isAuthorised } from "../authorise.ts";
import { forgetItem, forgetNeeds } from "../forget-item.ts";
import { need, reject, type Stop, wait } from "../outcome.ts";
import type { ForgetDetail, PreparedMessage } from "../prepared.ts";
import type { StateContext } from "../rules.ts";
import { findTarget, type Target } from "../target.ts";
import { missingFacts, type Need, pairKey, type World } from "../world.ts";

interface FoundTarget {
  readonly hash: string;
  readonly target: Target;
}

/**
 * May this FORGET be applied? All targets or none: each must be there, be the signer's to forget, and be
 * neither a FORGET nor a file in use. Source: pyaleph `src/aleph/handlers/content/forget.py`.
 */
export function checkForget(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  detail: ForgetDetail,
): Stop {
  if (detail.hashes.length === 0 && detail.aggregates.length === 0) {
    return reject(messageError("FORGET_NO_TARGET", null));
  }
  const elements = aggregateTargets(world, message, detail);
  if (!Array.isArray(elements)) return elements;
  const hashes = [...new Set([...detail.hashes, ...elements])];
  const missing = missingFacts(
    world,
    hashes.flatMap((hash) => targetNeeds(world, context, hash)),
  );
  if (missing.length > 0) return need(missing);
  const found: FoundTarget[] = [];
  const absent: string[] = [];
  for (const hash of hashes) {
    const target = findTarget(world, context, hash);
    if (target === null) absent.push(hash);
    else found.push({ hash, target });
  }
  if (absent.length > 0) {
    return wait(
      messageError("FORGET_TARGET_NOT_FOUND", { errors: absent.map((hash) => ({ message: hash })) }),
      absent.map((hash) => `item:${hash}`),
    );
  }
  return checkTargets(world, context, message, found) ?? requireRetraction(world, context, found);
}

/** Hashes of the elements of the aggregates named, or what stops the message. */
function aggregateTargets(
  world: World,
  message: PreparedMessage,
  detail: ForgetDetail,
): string[] | Exclude<Stop, null> {
  const keys = detail.aggregates.map((name) => ({ name, key: pairKey(message.content.owner, name) }));
  const missing = missingFacts(
    world,
    keys.map(({ key }) => ({ table: "elementsOf" as const, key })),
  );
  if (missing.length > 0) return need(missing);
  const absent = keys.filter(({ key }) => (world.index.elementsOf.get(key) ?? []).length === 0);
  if (absent.length > 0) {
    return wait(
      messageError("FORGET_TARGET_NOT_FOUND", { errors: absent.map(({ name }) => ({ aggregate: name })) }),
      absent.map(({ key }) => `aggregate:${key}`),
    );
  }
  return keys.flatMap(({ key }) => (world.index.elementsOf.get(key) ?? []).map((element) => element.hash));
}

function targetNeeds(world: World, context: StateContext, hash: string): Need[] {
  const needs: Need[] = [{ table: "items", key: hash }];
  const item = world.facts.items.peek(hash);
  if (item && item.live === null && item.forgotten === null && context.rules.canonicalOrder) {
    needs.push({ table: "candidates", key: hash });
  }
  return needs;
}

function checkTargets(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  found: readonly FoundTarget[],
): Stop {
  const actor = actorOf(message);
  const missing = missingFacts(
    world,
    found.flatMap(({ hash, target }) => [
      ...(isOwnerItself(actor.sender, target.owner)
        ? []
        : [{ table: "security" as const, key: target.owner }]),
      ...(target.type === "STORE" ? [{ table: "vmUsers" as const, key: hash }] : []),
    ]),
  );
  if (missing.length > 0) return need(missing);
  for (const { target } of found) {
    if (!isAuthorised(world, context.rules, actor, target)) return denied(actor.sender, target.owner);
  }
  for (const { hash, target } of found) {
    if (target.type === "FORGET")
      return reject(messageError("FORGET_FORGET", { errors: [{ message: hash }] }));
  }
  if (context.rules.canonicalOrder || context.rules.ownerForgetsUsedFiles) return null;
  const targets = new Set(found.map(({ hash }) => hash));
  for (const { hash, target } of found) {
    const users = target.type === "STORE" ? (world.index.vmUsers.get(hash) ?? []) : [];
    const user = users.find((vm) => !targets.has(vm));
    if (user !== undefined) {
      return reject(messageError("FORGET_NOT_ALLOWED", { errors: [`File ${hash} used on vm ${user}`] }));
    }
  }
  return null;
}

function requireRetraction(world: World, context: StateContext, found: readonly FoundTarget[]): Stop {
  const missing = missingFacts(
    world,
    found.flatMap(({ hash }) => forgetNeeds(world, context, hash)),
  );
  return missing.length > 0 ? need(missing) : null;
}

/** Forgets every target, and remembers whose delegations the FORGET relied on. */
export function applyForget(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  detail: ForgetDetail,
): void {
  const elements = detail.aggregates.flatMap((name) =>
    (world.index.elementsOf.get(pairKey(message.content.owner, name)) ?? []).map((element) => element.hash),
  );
  const owners = new Set<string>();
  for (const hash of new Set([...detail.hashes, ...elements])) {
    const target = findTarget(world, context, hash);
    if (target === null) throw new Error(`The target ${hash} of a checked FORGET is gone`);
    const delegated = target.owner.toLowerCase() !== message.envelope.sender.toLowerCase();
    if (delegated) owners.add(target.owner);
    forgetItem(world, context, { hash, by: message, retain: delegated && context.rules.canonicalOrder });
  }
  if (owners.size > 0) {
    world.facts.delegations.load(message.envelope.itemHash, null);
    world.facts.delegations.set(message.envelope.itemHash, [...owners]);
  }
}
