import type { LiveMessage } from "./facts.ts";
import { aggregateRetractionNeeds, retractAggregate } from "./handlers/aggregate.ts";
import { postRetractionNeeds, retractPost } from "./handlers/post.ts";
import { release, retractStore, storeRetractionNeeds, unpin } from "./handlers/store.ts";
import { retractVm, vmRetractionNeeds } from "./handlers/vm.ts";
import { isPaidKind } from "./ledger/message-bill.ts";
import { costRetractionNeeds, dropCost } from "./ledger/message-costs.ts";
import type { StateContext } from "./rules.ts";
import { type Need, pairKey, type World } from "./world.ts";

/** What must be known before the effects of a live message can be taken back. */
export function retractionNeeds(
  world: World,
  context: StateContext,
  hash: string,
  live: LiveMessage,
): Need[] {
  return [
    { table: "copies", key: hash },
    { table: "delegations", key: hash },
    ...contentPinNeeds(world, hash),
    ...typeNeeds(context, hash, live),
    ...(context.rules.ledger === null ? [] : costRetractionNeeds(hash, live)),
  ];
}

function typeNeeds(context: StateContext, hash: string, live: LiveMessage): Need[] {
  switch (live.type) {
    case "POST":
      return [...postRetractionNeeds(hash, live), { table: "metrics", key: hash }];
    case "AGGREGATE":
      return aggregateRetractionNeeds(hash, live);
    case "STORE":
      return storeRetractionNeeds(context, hash, live);
    case "PROGRAM":
    case "INSTANCE":
    case "V-PROGRAM":
      return vmRetractionNeeds(hash);
    case "FORGET":
      return [];
  }
}

function contentPinNeeds(world: World, hash: string): Need[] {
  const needs: Need[] = [{ table: "contentPins", key: hash }];
  for (const fileHash of world.index.contentPins.peek(hash) ?? []) {
    needs.push({ table: "pins", key: pairKey("content", hash, fileHash) });
    needs.push({ table: "pinsOf", key: fileHash }, { table: "graces", key: fileHash });
  }
  return needs;
}

/**
 * Takes the effects of a live message out of the derived state; its texts and status are the caller's. With `erase`
 * the file of its own content goes without a time of grace.
 */
export function retractDerived(
  world: World,
  context: StateContext,
  hash: string,
  live: LiveMessage,
  { erase }: { readonly erase: boolean },
): void {
  switch (live.type) {
    case "POST":
      retractPost(world, hash, live);
      if (world.facts.metrics.get(hash) !== null) world.facts.metrics.set(hash, null);
      break;
    case "AGGREGATE":
      retractAggregate(world, hash, live);
      break;
    case "STORE":
      retractStore(world, context, hash, live);
      break;
    case "PROGRAM":
    case "INSTANCE":
    case "V-PROGRAM":
      retractVm(world, hash);
      break;
    case "FORGET":
      break;
  }
  if (world.facts.delegations.get(hash) !== null) world.facts.delegations.set(hash, null);
  const { ledger } = context.rules;
  if (ledger !== null && isPaidKind(live.type)) dropCost(world, ledger, hash);
  for (const fileHash of world.index.contentPins.get(hash) ?? []) {
    world.facts.pins.set(pairKey("content", hash, fileHash), null);
    if (erase && fileHash === hash) release(world, fileHash);
    else unpin(world, context, fileHash);
  }
  world.index.contentPins.set(hash, []);
}

/** What goes when `hash` goes: the amends of a post, the updates of a deployment. */
export function dependentsOf(
  world: World,
  hash: string,
  live: Pick<LiveMessage, "type" | "label">,
): readonly string[] {
  if (live.type === "POST" && live.label !== "amend") {
    return (world.index.amendsOf.get(hash) ?? []).map((amend) => amend.hash);
  }
  if (live.type === "PROGRAM" || live.type === "INSTANCE" || live.type === "V-PROGRAM") {
    return world.index.vmVersions.get(hash) ?? [];
  }
  return [];
}

/** As far as the dependents of `hash` are known: what else must be known. */
export function dependentNeeds(world: World, context: StateContext, hash: string, live: LiveMessage): Need[] {
  const known =
    live.type === "POST"
      ? world.index.amendsOf.has(hash)
      : live.type === "STORE" || world.index.vmVersions.has(hash);
  if (!known || live.type === "AGGREGATE" || live.type === "FORGET" || live.type === "STORE") return [];
  const needs: Need[] = [];
  for (const dependent of dependentsOf(world, hash, live)) {
    needs.push({ table: "items", key: dependent }, { table: "candidates", key: dependent });
    const item = world.facts.items.peek(dependent);
    if (item?.live)
      for (const each of retractionNeeds(world, context, dependent, item.live)) needs.push(each);
  }
  return needs;
}
