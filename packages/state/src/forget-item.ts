import { dependentNeeds, dependentsOf, retractDerived, retractionNeeds } from "./derived.ts";
import { compareVersions, type ItemFact, type LiveMessage, type Version } from "./facts.ts";
import { forgottenDate } from "./forgotten-date.ts";
import { keepFilesOfUsers, keepsForUsers, keptFileNeeds } from "./kept-files.ts";
import type { PreparedMessage } from "./prepared.ts";
import { bestCopy } from "./rank-copies.ts";
import type { StateContext } from "./rules.ts";
import { takeSkeleton, takeSkeletonsWith } from "./skeletons.ts";
import { bestCandidate, forgottenSnapshot, liveMessageOf, parentOfContent } from "./target.ts";
import { coveringTombstones, noteForgottenElement, tombstoneNeeds } from "./tombstones.ts";
import { type Need, tableOf, type World } from "./world.ts";

/** One target of a FORGET. */
export interface Forgetting {
  readonly hash: string;
  /** The FORGET message. */
  readonly by: PreparedMessage;
  /** Keep the texts, hidden, until the FORGET is final: it relies on a delegation that may yet prove revoked. */
  readonly retain: boolean;
}

/** What must be known before `hash` can be forgotten. */
export function forgetNeeds(world: World, context: StateContext, hash: string): Need[] {
  const item = world.facts.items.get(hash);
  const needs: Need[] = [{ table: "forgets", key: hash }, ...retainedNeeds(world, hash)];
  for (const forget of world.facts.forgets.peek(hash) ?? []) needs.push({ table: "items", key: forget });
  if (item?.live) {
    needs.push(
      ...retractionNeeds(world, context, hash, item.live),
      ...dependentNeeds(world, context, hash, item.live),
    );
    if (keepsForUsers(context, item.live))
      for (const each of userNeeds(world, hash, item.live)) needs.push(each);
  } else if (item !== null && item.forgotten === null && world.index.candidates.has(hash)) {
    const candidate = bestCandidate(world, context, hash);
    if (candidate !== null) for (const each of candidateNeeds(candidate)) needs.push(each);
  }
  return needs;
}

/** What must be known before the texts that are retained of `hash`, and of what went with it, are dropped. */
export const retainedNeeds = (world: World, hash: string): Need[] => [
  { table: "items", key: hash },
  { table: "candidates", key: hash },
  { table: "forgottenChildren", key: hash },
  ...(world.index.forgottenChildren.peek(hash) ?? []).map((child) => ({
    table: "forgets" as const,
    key: child,
  })),
];

function userNeeds(world: World, hash: string, live: LiveMessage): Need[] {
  const needs: Need[] = [{ table: "vmUsers", key: hash }];
  for (const vm of world.index.vmUsers.peek(hash) ?? [])
    for (const each of keptFileNeeds(world, vm, live.contentHash)) needs.push(each);
  return needs;
}

function candidateNeeds(candidate: PreparedMessage): Need[] {
  const detail = candidate.content.detail;
  if (detail.kind === "STORE") return [{ table: "files", key: detail.fileHash }];
  return detail.kind === "AGGREGATE" ? tombstoneNeeds(candidate.content.owner, detail.key) : [];
}

/** Forgets one message, whatever stands of it, and takes its dependents along. */
export function forgetItem(world: World, context: StateContext, forgetting: Forgetting): void {
  const { hash, by, retain } = forgetting;
  const item = world.facts.items.get(hash);
  let covering: readonly Version[] = [];
  if (world.skeletons.has(hash)) covering = takeSkeleton(world, context, hash);
  else if (item === null) throw new Error(`Cannot forget ${hash}: it is not known`);
  else if (item.live !== null) forgetLive(world, context, hash, item, item.live, retain);
  else if (item.forgotten === null) covering = forgetCandidate(world, context, hash, item, retain);
  else if (!retain) dropRetained(world, hash);
  takeSkeletonsWith(world, context, hash);
  const version = { hash: by.envelope.itemHash, timeMicros: by.content.timeMicros };
  recordForgets(world, context, hash, [version, ...covering], by);
  world.events.push({ hash, kind: "forgotten", cause: { by: version.hash } });
  world.wakes.add(`item:${hash}`);
}

function forgetLive(
  world: World,
  context: StateContext,
  hash: string,
  item: ItemFact,
  live: LiveMessage,
  retain: boolean,
): void {
  const dependents = dependentsOf(world, hash, live);
  if (!retain) dropRetainedChildren(world, hash);
  hide(world, context, hash, item, live, parentOf(world, hash, live), retain);
  if (keepsForUsers(context, live)) keepFilesOfUsers(world, context, hash);
  for (const dependent of dependents) {
    const child = world.facts.items.get(dependent);
    if (child === null || child.live === null) continue;
    hide(world, context, dependent, child, child.live, hash, retain);
    const children = world.index.forgottenChildren.peek(hash);
    if (children !== undefined) world.index.forgottenChildren.set(hash, [...(children ?? []), dependent]);
    world.wakes.add(`item:${dependent}`);
    world.events.push({ hash: dependent, kind: "forgotten", cause: { with: hash } });
  }
}

/** Takes a live message out of sight: effects undone, texts erased or retained, snapshot kept. */
function hide(
  world: World,
  context: StateContext,
  hash: string,
  item: ItemFact,
  live: LiveMessage,
  parent: string | null,
  retain: boolean,
): void {
  const copies = world.facts.copies.get(hash) ?? [];
  const known = context.rules.canonicalOrder
    ? [...copies, ...(world.index.candidates.get(hash) ?? [])]
    : copies.filter((copy) => copy.served);
  const shown = bestCopy(context, known);
  if (shown === null) throw new Error(`No copy of the live message ${hash} can be read`);
  const fileSize =
    live.type === "STORE" ? (world.index.files.get(live.contentHash ?? "")?.sizeBytes ?? null) : null;
  retractDerived(world, context, hash, live, { erase: true });
  world.facts.copies.set(hash, []);
  world.dropCandidates(hash);
  if (retain) world.queueCopies(hash, known, true);
  if (live.type === "AGGREGATE") noteForgottenElement(world, live, hash);
  world.facts.items.set(hash, {
    ...item,
    status: "forgotten",
    live: null,
    forgotten: forgottenSnapshot(liveMessageOf(shown), shown.envelope.signature, parent, fileSize),
  });
}

function parentOf(world: World, hash: string, live: LiveMessage): string | null {
  if (live.type === "POST") return live.label === "amend" ? live.ref : null;
  const vm = world.facts.vms.peek(hash) ?? null;
  return vm === null || vm.original === hash ? null : vm.original;
}

/** Returns the FORGETs by name that cover the message as well. */
function forgetCandidate(
  world: World,
  context: StateContext,
  hash: string,
  item: ItemFact,
  retain: boolean,
): readonly Version[] {
  const shown = bestCandidate(world, context, hash);
  if (shown === null) throw new Error(`Cannot forget ${hash}: no copy of it is known`);
  hideUnseen(world, shown, item, { parent: parentOfContent(shown), retain, receptionMicros: 0n });
  return coveringTombstones(world, shown);
}

/** How a message that was never live is forgotten. */
export interface Unseen {
  readonly parent: string | null;
  readonly retain: boolean;
  /** When this node first heard of it, if it has no record of that. */
  readonly receptionMicros: bigint;
}

/** Puts a message that is not live among the forgotten ones. Needs its `candidates` and the file of a STORE. */
export function hideUnseen(
  world: World,
  shown: PreparedMessage,
  item: ItemFact | null,
  { parent, retain, receptionMicros }: Unseen,
): void {
  const hash = shown.envelope.itemHash;
  const known = world.index.candidates.get(hash) ?? [];
  const detail = shown.content.detail;
  const fileSize =
    detail.kind === "STORE" ? (world.index.files.get(detail.fileHash)?.sizeBytes ?? null) : null;
  world.dropCandidates(hash);
  if (retain) world.queueCopies(hash, known, true);
  const live = liveMessageOf(shown);
  if (live.type === "AGGREGATE") noteForgottenElement(world, live, hash);
  world.facts.items.set(hash, {
    status: "forgotten",
    receptionMicros: item?.receptionMicros ?? receptionMicros,
    live: null,
    forgotten: forgottenSnapshot(live, shown.envelope.signature, parent, fileSize),
  });
}

/**
 * A FORGET that nothing can take back ends the retaining of what earlier ones hid, and of what went with it. What
 * has FORGETs of its own stays retained behind those: whether it goes with this one is judged when they fall.
 */
export function dropRetained(world: World, hash: string): void {
  world.dropCandidates(hash);
  dropRetainedChildren(world, hash);
}

function dropRetainedChildren(world: World, hash: string): void {
  for (const child of world.index.forgottenChildren.get(hash) ?? []) {
    if ((world.facts.forgets.get(child) ?? []).length === 0) world.dropCandidates(child);
  }
}

/** Adds FORGETs to those that hide a message, and dates the forgetting by the first of them. */
export function recordForgets(
  world: World,
  context: StateContext,
  hash: string,
  added: readonly Version[],
  by: PreparedMessage | null,
): void {
  const known = world.facts.forgets.get(hash) ?? [];
  world.facts.forgets.set(hash, [...new Set([...known, ...added.map((version) => version.hash)])]);
  const item = world.facts.items.get(hash);
  if (item === null || item.forgotten === null) return;
  const versions = [...added, ...known.flatMap((forget) => versionOfLive(world, forget))];
  const first = versions.sort(compareVersions)[0];
  if (first === undefined) return;
  const forgottenMicros = forgottenDate(world, context, first, by);
  world.facts.items.set(hash, { ...item, forgotten: { ...item.forgotten, forgottenMicros } });
}

function versionOfLive(world: World, hash: string): Version[] {
  if (!tableOf(world, "items").has(hash)) return [];
  const live = world.live(hash);
  return live === null ? [] : [{ hash, timeMicros: live.contentTimeMicros }];
}
