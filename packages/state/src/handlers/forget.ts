import { messageError } from "@twentysix/protocol";
import { type FoundTarget, findTargets, forgetAuthority } from "../authority.ts";
import { compareVersions, type Version } from "../facts.ts";
import { forgetItem, forgetNeeds } from "../forget-item.ts";
import { mayForgetUsed } from "../kept-files.ts";
import { need, reject, type Stop, wait } from "../outcome.ts";
import type { ForgetDetail, PreparedMessage } from "../prepared.ts";
import type { StateContext } from "../rules.ts";
import { skeletonElements } from "../skeletons.ts";
import { addTombstones, coveredElements, namedAggregateNeeds } from "../tombstones.ts";
import { missingFacts, type Need, pairKey, type World } from "../world.ts";

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
  const named = namedAggregates(world, context, message, detail);
  if (named !== null) return named;
  const found = findTargets(world, context, [
    ...detail.hashes,
    ...namedElements(world, context, message, detail),
  ]);
  if (!Array.isArray(found)) return found;
  // Under canonical order the reason that nothing can lift is given first.
  const forgets = refuseForgets(found);
  if (forgets !== null && context.rules.canonicalOrder) return forgets;
  const authority = forgetAuthority(world, context, message, detail, found);
  if (authority.kind !== "granted") return authority;
  return forgets ?? refuseUsedFiles(world, context, found);
}

/** What the aggregates that a FORGET names ask for. Under canonical order they need not exist yet. */
function namedAggregates(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  detail: ForgetDetail,
): Stop {
  const { owner } = message.content;
  const missing = missingFacts(
    world,
    detail.aggregates.flatMap((name) => namedAggregateNeeds(owner, name)),
  );
  if (missing.length > 0) return need(missing);
  if (context.rules.canonicalOrder) return null;
  const absent = detail.aggregates.filter(
    (name) =>
      (world.index.elementsOf.get(pairKey(owner, name)) ?? []).length === 0 &&
      skeletonElements(world, owner, name).length === 0,
  );
  if (absent.length === 0) return null;
  return wait(
    messageError("FORGET_TARGET_NOT_FOUND", { errors: absent.map((name) => ({ aggregate: name })) }),
    absent.map((name) => `aggregate:${pairKey(owner, name)}`),
  );
}

function namedElements(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  detail: ForgetDetail,
): string[] {
  const { owner } = message.content;
  const forget = versionOf(message);
  return detail.aggregates.flatMap((name) => {
    const skeletons = skeletonElements(world, owner, name);
    if (context.rules.canonicalOrder) {
      const covered = skeletons.filter((element) => compareVersions(element, forget) < 0);
      return [...coveredElements(world, owner, name, forget), ...covered.map(({ hash }) => hash)];
    }
    const known = world.index.elementsOf.get(pairKey(owner, name)) ?? [];
    return [...known, ...skeletons].map(({ hash }) => hash);
  });
}

const versionOf = (message: PreparedMessage): Version => ({
  hash: message.envelope.itemHash,
  timeMicros: message.content.timeMicros,
});

function refuseForgets(found: readonly FoundTarget[]): Stop {
  const forget = found.find(({ target }) => target.type === "FORGET");
  return forget === undefined
    ? null
    : reject(messageError("FORGET_FORGET", { errors: [{ message: forget.hash }] }));
}

function refuseUsedFiles(world: World, context: StateContext, found: readonly FoundTarget[]): Stop {
  if (mayForgetUsed(context)) return null;
  const files = found.filter(({ target }) => target.type === "STORE");
  const missing = missingFacts(
    world,
    files.map(({ hash }) => ({ table: "vmUsers" as const, key: hash })),
  );
  if (missing.length > 0) return need(missing);
  const targets = new Set(found.map(({ hash }) => hash));
  for (const { hash } of files) {
    const user = (world.index.vmUsers.get(hash) ?? []).find((vm) => !targets.has(vm));
    if (user !== undefined) {
      return reject(messageError("FORGET_NOT_ALLOWED", { errors: [`File ${hash} used on vm ${user}`] }));
    }
  }
  return null;
}

/** What must be known before a FORGET is applied, beside what its check needs. */
export function forgettingNeeds(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  detail: ForgetDetail,
): Need[] {
  const hashes = [...detail.hashes, ...namedElements(world, context, message, detail)];
  const targets = hashes.map((hash): Need => ({ table: "items", key: hash }));
  if (missingFacts(world, targets).length > 0) return targets;
  return hashes.flatMap((hash) => forgetNeeds(world, context, hash));
}

/** Forgets every target, and remembers whose delegations the FORGET relied on. */
export function applyForget(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  detail: ForgetDetail,
): void {
  const forget = versionOf(message);
  const elements = namedElements(world, context, message, detail);
  const found = findTargets(world, context, [...detail.hashes, ...elements]);
  const authority = Array.isArray(found) ? forgetAuthority(world, context, message, detail, found) : found;
  const owners = authority.kind === "granted" ? authority.owners : [];
  const retain = owners.length > 0 && context.rules.canonicalOrder;
  for (const hash of new Set([...detail.hashes, ...elements])) {
    forgetItem(world, context, { hash, by: message, retain });
  }
  if (context.rules.canonicalOrder) addTombstones(world, message.content.owner, detail.aggregates, forget);
  if (owners.length === 0) return;
  world.facts.delegations.load(forget.hash, null);
  world.facts.delegations.set(forget.hash, owners);
}
