import { formatIsoZ } from "@twentysix/protocol";
import { NO_GRACE } from "../handlers/store.ts";
import type { StateContext } from "../rules.ts";
import { type Need, pairKey, type World } from "../world.ts";
import { accountOf, changeAccount } from "./accounts.ts";
import type { PublicationFact, RemovalFact, Shortfall } from "./ledger-facts.ts";
import type { LedgerRules } from "./ledger-rules.ts";
import { dropCost } from "./message-costs.ts";

/** What must be known before messages are marked, recovered or removed. */
export function removalNeeds(world: World, context: StateContext, hashes: readonly string[]): Need[] {
  return hashes.flatMap((hash): Need[] => {
    const needs: Need[] = [
      { table: "items", key: hash },
      { table: "removals", key: hash },
    ];
    const removal = world.facts.removals.peek(hash);
    if (removal === undefined || removal === null || removal.deleteByMicros > context.nowMicros) return needs;
    return [
      ...needs,
      { table: "costs", key: hash },
      { table: "removedBills", key: hash },
      ...pinNeeds(world, hash),
    ];
  });
}

/** What must be known before the pins of a message are released. */
export function pinNeeds(world: World, hash: string): Need[] {
  const needs: Need[] = [{ table: "contentPins", key: hash }];
  const fileHash = world.facts.items.peek(hash)?.live?.contentHash ?? null;
  if (fileHash !== null) {
    needs.push({ table: "pins", key: pairKey("message", hash, fileHash) }, ...fileNeeds(fileHash));
  }
  for (const pinned of world.index.contentPins.peek(hash) ?? [])
    needs.push({ table: "pins", key: pairKey("content", hash, pinned) }, ...fileNeeds(pinned));
  return needs;
}

const fileNeeds = (fileHash: string): Need[] => [
  { table: "pinsOf", key: fileHash },
  { table: "files", key: fileHash },
  { table: "graces", key: fileHash },
];

/** The owner cannot pay for the message: it will be removed unless he can before the grace is over. */
export function markRemoval(
  world: World,
  { nowMicros }: StateContext,
  { removalGraceMicros }: LedgerRules,
  owner: string,
  hash: string,
  { reason, found }: { readonly reason: RemovalFact["reason"]; readonly found: Shortfall },
): void {
  const item = world.facts.items.get(hash);
  if (item === null || item.status !== "processed") return;
  const deleteByMicros = nowMicros + removalGraceMicros;
  world.facts.removals.set(hash, { owner, sinceMicros: nowMicros, deleteByMicros, reason, marked: found });
  world.facts.items.set(hash, { ...item, status: "removing" });
  changeAccount(world, owner, { removing: accountOf(world, owner).removing + 1 });
  world.events.push({ hash, kind: "removing", cause: { reason, delete_by: formatIsoZ(deleteByMicros) } });
}

/** The owner can pay again. */
export function endRemoval(world: World, owner: string, hash: string): void {
  const item = world.facts.items.get(hash);
  if (item === null || item.status !== "removing") return;
  world.facts.removals.set(hash, null);
  world.facts.items.set(hash, { ...item, status: "processed" });
  changeAccount(world, owner, { removing: accountOf(world, owner).removing - 1 });
  world.events.push({ hash, kind: "recovered", cause: null });
}

/**
 * What an authority has published, since the message was marked, that could have mended it; null while nothing. A
 * node that was away, or missed one update, must not remove anything on what it knew before; and one that catches up
 * must not do so on what was said before, though it hears of it now.
 */
export function publicationSince(world: World, { reason, sinceMicros }: RemovalFact): PublicationFact | null {
  const kind = reason === "credit_insufficient" ? "credits" : "balances";
  const publication = world.facts.publications.get(kind);
  if (publication === null) return null;
  const isNews = publication.processedMicros > sinceMicros && publication.timeMicros > sinceMicros;
  return isNews ? publication : null;
}

/**
 * Ends the message for good, if an authority has published since it was marked: its file is kept by it no longer and
 * it costs nothing any more. What it says stays part of the state, which does not depend on funds; what it cost and
 * why it ended is kept beside it.
 */
export function removeMessage(
  world: World,
  context: StateContext,
  rules: LedgerRules,
  hash: string,
  { removal, found }: { readonly removal: RemovalFact; readonly found: Shortfall },
): void {
  const item = world.facts.items.get(hash);
  const publication = publicationSince(world, removal);
  if (publication === null || item === null || item.status !== "removing" || item.live === null) return;
  const cost = world.facts.costs.get(hash);
  if (cost !== null) world.facts.removedBills.set(hash, { cost, removal, ended: found, publication });
  dropCost(world, rules, hash);
  const { live: message } = item;
  const removed = {
    message,
    removedMicros: context.nowMicros,
    sizeBytes: cost?.fileSizeBytes ?? message.sizeBytes,
  };
  world.facts.items.set(hash, { ...item, status: "removed", live: null, removed });
  releasePins(world, hash, message.contentHash);
  const { reason, sinceMicros, owner } = removal;
  const cause = { reason, since: formatIsoZ(sinceMicros), owner };
  world.events.push({ hash, kind: "removed", cause });
}

/** Nothing is kept for the message any more. */
export function releasePins(world: World, hash: string, fileHash: string | null): void {
  if (fileHash !== null) {
    world.facts.pins.set(pairKey("message", hash, fileHash), null);
    giveUp(world, fileHash);
  }
  for (const pinned of world.index.contentPins.get(hash) ?? []) {
    world.facts.pins.set(pairKey("content", hash, pinned), null);
    giveUp(world, pinned);
  }
  world.index.contentPins.set(hash, []);
}

/** One pin less; the last one leaves nothing behind, its grace is over. What was promised to others holds. */
function giveUp(world: World, fileHash: string): void {
  const left = (world.index.pinsOf.get(fileHash) ?? 0) - 1;
  world.index.pinsOf.set(fileHash, left);
  if (left > 0 || world.facts.graces.get(fileHash) !== null) return;
  world.facts.graces.set(fileHash, NO_GRACE);
  world.index.files.set(fileHash, null);
}
