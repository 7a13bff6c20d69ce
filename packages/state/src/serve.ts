import { compareRanked, type RankedCopy } from "./authority.ts";
import type { ItemFact, LiveMessage } from "./facts.ts";
import { dropRetained, retainedNeeds } from "./forget-item.ts";
import { applyMetrics, metricsNeeds } from "./handlers/node-metrics.ts";
import { applyLedgerCopy } from "./ledger/apply-ledger-post.ts";
import type { StateContext } from "./rules.ts";
import { liveMessageOf } from "./target.ts";
import { type Need, pairKey, type World } from "./world.ts";

/** What must be known before another copy of a live message is served. */
export function serveNeeds(world: World, context: StateContext, hash: string, live: LiveMessage): Need[] {
  const needs: Need[] = [
    { table: "copies", key: hash },
    { table: "delegations", key: hash },
  ];
  if (live.type === "POST") needs.push({ table: "posts", key: hash }, ...metricsNeeds(context, hash, live));
  if (live.itemType !== "inline") needs.push({ table: "pins", key: pairKey("content", hash, hash) });
  if (live.type === "FORGET") {
    needs.push({ table: "forgetTargets", key: hash });
    for (const target of world.index.forgetTargets.peek(hash) ?? [])
      for (const each of retainedNeeds(world, target)) needs.push(each);
  }
  return needs;
}

/** Keeps these copies of a live message, best first, and moves everything that shows the one that is served. */
export function serveRanked(
  world: World,
  context: StateContext,
  hash: string,
  item: ItemFact,
  live: LiveMessage,
  copies: readonly RankedCopy[],
): void {
  const ranked = [...copies].sort(compareRanked).slice(0, context.rules.maxCopies);
  const first = ranked[0];
  if (first === undefined) throw new Error(`No copy of the live message ${hash} is left to serve`);
  world.facts.copies.set(
    hash,
    ranked.map(({ message }, rank) => ({
      envelopeText: message.envelopeText,
      contentText: message.contentText,
      served: rank === 0,
    })),
  );
  const served = liveMessageOf(first.message);
  if (isShownDifferently(live, served)) world.facts.items.set(hash, { ...item, live: served });
  const post = live.type === "POST" ? world.facts.posts.get(hash) : null;
  if (post !== null && post.channel !== served.channel)
    world.facts.posts.set(hash, { ...post, channel: served.channel });
  movePin(world, hash, served);
  relyOn(world, hash, live, first.owners);
  for (const { message } of ranked) {
    applyMetrics(world, context, message);
    applyLedgerCopy(world, context, message);
  }
}

const isShownDifferently = (a: LiveMessage, b: LiveMessage): boolean =>
  a.sender !== b.sender ||
  a.chain !== b.chain ||
  a.channel !== b.channel ||
  a.timeMicros !== b.timeMicros ||
  a.itemType !== b.itemType;

/** The content of a message that is not inline is kept for the sender that is shown. */
function movePin(world: World, hash: string, served: LiveMessage): void {
  if (served.itemType === "inline") return;
  const key = pairKey("content", hash, hash);
  const pin = world.facts.pins.get(key);
  if (pin !== null && pin.owner !== served.sender)
    world.facts.pins.set(key, { ...pin, owner: served.sender });
}

function relyOn(world: World, hash: string, live: LiveMessage, owners: readonly string[]): void {
  const before = world.facts.delegations.get(hash);
  if (before === null && owners.length === 0) return;
  world.facts.delegations.set(hash, owners.length === 0 ? null : owners);
  if (live.type !== "FORGET" || owners.length > 0) return;
  for (const target of world.index.forgetTargets.get(hash) ?? []) dropRetained(world, target);
}
