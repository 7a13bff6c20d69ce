import { dependentNeeds, dependentsOf, retractDerived, retractionNeeds } from "./derived.ts";
import type { ForgottenMessage, ItemFact, LiveMessage } from "./facts.ts";
import { bump } from "./handlers/store.ts";
import type { PreparedMessage } from "./prepared.ts";
import type { StateContext } from "./rules.ts";
import { bestCandidate, forgottenSnapshot, liveMessageOf } from "./target.ts";
import { type Need, pairKey, type World } from "./world.ts";

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
  const needs: Need[] = [
    { table: "forgets", key: hash },
    { table: "candidates", key: hash },
  ];
  for (const forget of world.facts.forgets.peek(hash) ?? []) needs.push({ table: "items", key: forget });
  if (item?.live) {
    needs.push(...retractionNeeds(world, hash, item.live), ...dependentNeeds(world, hash, item.live));
    if (keepsForUsers(context, item.live)) needs.push(...userNeeds(world, hash, item.live));
  }
  return needs;
}

const keepsForUsers = (context: StateContext, live: LiveMessage): boolean =>
  live.type === "STORE" && (context.rules.canonicalOrder || context.rules.ownerForgetsUsedFiles);

function userNeeds(world: World, hash: string, live: LiveMessage): Need[] {
  const needs: Need[] = [{ table: "vmUsers", key: hash }];
  for (const vm of world.index.vmUsers.peek(hash) ?? []) {
    needs.push({ table: "vms", key: vm }, { table: "contentPins", key: vm });
    needs.push({ table: "pins", key: pairKey("content", vm, live.contentHash ?? "") });
  }
  return needs;
}

/** Forgets one message, whatever stands of it, and takes its dependents along. */
export function forgetItem(world: World, context: StateContext, forgetting: Forgetting): void {
  const { hash } = forgetting;
  const item = world.facts.items.get(hash);
  if (item === null) throw new Error(`Cannot forget ${hash}: it is not known`);
  if (item.live !== null) forgetLive(world, context, hash, item, item.live, forgetting.retain);
  else if (item.forgotten === null) forgetCandidate(world, context, hash, item, forgetting.retain);
  else if (!forgetting.retain) dropRetained(world, hash);
  recordForget(world, hash, forgetting.by);
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
  if (keepsForUsers(context, live)) keepForUsers(world, hash, live);
  const dependents = dependentsOf(world, hash, live);
  hide(world, context, hash, item, live, parentOf(world, hash, live), retain);
  for (const dependent of dependents) {
    const child = world.facts.items.get(dependent);
    if (child === null || child.live === null) continue;
    hide(world, context, dependent, child, child.live, hash, retain);
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
  const served = copies.find((copy) => copy.served);
  const signature =
    served === undefined ? null : signatureOf(context, served.envelopeText, served.contentText);
  const fileSize =
    live.type === "STORE" ? (world.index.files.get(live.contentHash ?? "")?.sizeBytes ?? null) : null;
  const revises = parent !== null || (live.type === "STORE" && live.ref !== null);
  retractDerived(world, context, hash, live);
  world.facts.copies.set(hash, []);
  dropCandidates(world, hash);
  if (retain) retainCopies(world, hash, copies);
  world.facts.items.set(hash, {
    ...item,
    status: "forgotten",
    live: null,
    forgotten: forgottenSnapshot(live, signature, parent, revises, fileSize),
  });
}

function signatureOf(context: StateContext, envelopeText: string, contentText: string | null): string | null {
  return context.prepare(envelopeText, contentText)?.envelope.signature ?? null;
}

const textsOf = (copy: { envelopeText: string; contentText: string | null }) => ({
  envelopeText: copy.envelopeText,
  contentText: copy.contentText,
});

function parentOf(world: World, hash: string, live: LiveMessage): string | null {
  if (live.type === "POST") return live.label === "amend" ? live.ref : null;
  const vm = world.facts.vms.peek(hash) ?? null;
  return vm === null || vm.original === hash ? null : vm.original;
}

function forgetCandidate(
  world: World,
  context: StateContext,
  hash: string,
  item: ItemFact,
  retain: boolean,
): void {
  const candidate = bestCandidate(world, context, hash);
  if (candidate === null) throw new Error(`Cannot forget ${hash}: no copy of it is known`);
  const live = liveMessageOf(candidate);
  const detail = candidate.content.detail;
  const parent = detail.kind === "POST" ? detail.amends : "replaces" in detail ? detail.replaces : null;
  const revises = parent !== null || (live.type === "STORE" && live.ref !== null);
  const copies = world.index.candidates.get(hash) ?? [];
  dropCandidates(world, hash);
  if (retain) retainCopies(world, hash, copies);
  const signature = candidate.envelope.signature;
  world.facts.items.set(hash, {
    ...item,
    status: "forgotten",
    forgotten: forgottenSnapshot(live, signature, parent, revises, null),
  });
}

/** Keeps the texts as candidates that nothing wakes. */
function retainCopies(
  world: World,
  hash: string,
  copies: readonly { readonly envelopeText: string; readonly contentText: string | null }[],
): void {
  const retained = copies.map(textsOf);
  for (const copy of retained) world.requeued.push({ hash, ...copy, retained: true });
  if (world.index.candidates.has(hash)) world.index.candidates.set(hash, retained);
}

function dropCandidates(world: World, hash: string): void {
  world.dropped.add(hash);
  if (world.index.candidates.has(hash)) world.index.candidates.set(hash, []);
}

/** A FORGET by the owner is final at once: what an earlier one retained goes. */
function dropRetained(world: World, hash: string): void {
  dropCandidates(world, hash);
}

/** Adds the FORGET and dates the forgetting by the first of them in canonical order. */
function recordForget(world: World, hash: string, by: PreparedMessage): void {
  const known = world.facts.forgets.get(hash) ?? [];
  const forgetHash = by.envelope.itemHash;
  world.facts.forgets.set(hash, [...new Set([...known, forgetHash])]);
  const item = world.facts.items.get(hash);
  if (item?.forgotten) {
    const forgottenMicros = forgottenAt(world, item.forgotten, known, by);
    world.facts.items.set(hash, { ...item, forgotten: { ...item.forgotten, forgottenMicros } });
  }
  world.events.push({ hash, kind: "forgotten", cause: { by: forgetHash } });
}

function forgottenAt(
  world: World,
  forgotten: ForgottenMessage,
  known: readonly string[],
  by: PreparedMessage,
): bigint {
  for (const forget of known) {
    const other = world.live(forget);
    if (other === null || forgotten.forgottenMicros === null) continue;
    const earlier =
      other.contentTimeMicros !== by.content.timeMicros
        ? other.contentTimeMicros < by.content.timeMicros
        : forget < by.envelope.itemHash;
    if (earlier) return forgotten.forgottenMicros;
  }
  return by.envelope.timeMicros;
}

/** The bytes of a file that VMs use stay, for the owners of those VMs. */
function keepForUsers(world: World, hash: string, live: LiveMessage): void {
  const fileHash = live.contentHash ?? "";
  for (const vm of new Set(world.index.vmUsers.get(hash) ?? [])) {
    const fact = world.facts.vms.get(vm);
    if (fact === null) continue;
    const key = pairKey("content", vm, fileHash);
    if (world.facts.pins.get(key) !== null) continue;
    world.facts.pins.set(key, {
      kind: "content",
      fileHash,
      owner: fact.owner,
      ref: null,
      tag: null,
      createdMicros: fact.createdMicros,
    });
    world.index.contentPins.set(vm, [...(world.index.contentPins.get(vm) ?? []), fileHash]);
    bump(world, fileHash, 1);
  }
}
