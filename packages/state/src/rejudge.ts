import { type Actor, checkPermission, isAuthorised } from "./authorise.ts";
import { need, type Outcome } from "./outcome.ts";
import type { PreparedMessage } from "./prepared.ts";
import { retractItem, retractNeeds } from "./retract-item.ts";
import type { StateContext } from "./rules.ts";
import { missingFacts, type Need, type World } from "./world.ts";

/**
 * Judges again every live message that relies on the delegations of `owner`, and takes back those that they no
 * longer cover.
 *
 * @returns what must be fetched before this can be done, empty when it is done
 */
export function rejudgeOwner(world: World, context: StateContext, owner: string): readonly Need[] {
  const missing = missingFacts(world, [{ table: "delegatedUses", key: owner }]);
  if (missing.length > 0) return missing;
  const uses = world.index.delegatedUses.get(owner) ?? [];
  const needs: Need[] = [];
  const revoked: string[] = [];
  for (const hash of uses) {
    const verdict = isStillCovered(world, context, hash);
    if (typeof verdict === "boolean") {
      if (!verdict) revoked.push(hash);
    } else needs.push(...verdict);
  }
  for (const hash of revoked) needs.push(...missingFacts(world, retractNeeds(world, hash)));
  if (needs.length > 0) return needs;
  for (const hash of revoked) retractItem(world, context, hash, `security:${owner}`);
  return [];
}

/** Does the served copy still pass? True too for what is not live any more. */
function isStillCovered(world: World, context: StateContext, hash: string): boolean | readonly Need[] {
  const missing = missingFacts(world, [
    { table: "items", key: hash },
    { table: "copies", key: hash },
    { table: "delegations", key: hash },
  ]);
  if (missing.length > 0) return missing;
  if (world.live(hash) === null) return true;
  const served = (world.facts.copies.get(hash) ?? []).find((copy) => copy.served);
  const message = served === undefined ? null : context.prepare(served.envelopeText, served.contentText);
  if (message === null) throw new Error(`The served copy of ${hash} can no longer be read`);
  if (message.content.detail.kind === "FORGET") return isForgetCovered(world, context, message);
  const stop: Outcome | null = checkPermission(world, context.rules, message);
  if (stop === null) return true;
  return stop.kind === "need" ? stop.needs : false;
}

function isForgetCovered(
  world: World,
  context: StateContext,
  message: PreparedMessage,
): boolean | readonly Need[] {
  const hash = message.envelope.itemHash;
  const missing = missingFacts(world, [{ table: "forgetTargets", key: hash }]);
  if (missing.length > 0) return missing;
  const targets = targetsOf(world, message);
  const asked = missingFacts(
    world,
    targets.map((target) => ({ table: "items" as const, key: target })),
  );
  if (asked.length > 0) return asked;
  const actor: Actor = { sender: message.envelope.sender, timeMicros: message.content.timeMicros, hash };
  const facts = targets.flatMap((target) => world.forgotten(target) ?? []);
  const owners = missingFacts(
    world,
    facts.map((fact) => ({ table: "security" as const, key: fact.owner })),
  );
  if (owners.length > 0) return need(owners).needs;
  return facts.every((fact) => isAuthorised(world, context.rules, actor, fact));
}

function targetsOf(world: World, message: PreparedMessage): readonly string[] {
  const known = world.index.forgetTargets.get(message.envelope.itemHash) ?? [];
  const named = message.content.detail.kind === "FORGET" ? message.content.detail.hashes : [];
  return [...new Set([...known, ...named])];
}
