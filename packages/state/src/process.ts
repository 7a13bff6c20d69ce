import { isOwnerItself } from "@twentysix/protocol";
import { checkPermission } from "./authorise.ts";
import { addCopy } from "./copies.ts";
import type { CopyFact, ItemFact } from "./facts.ts";
import {
  applyForgottenChild,
  applyForgottenElement,
  forgottenParent,
  standingForgets,
} from "./forgotten-arrival.ts";
import { showForgottenCopy } from "./forgotten-copy.ts";
import { aggregateNeeds, applyAggregate } from "./handlers/aggregate.ts";
import { applyForget, checkForget, forgettingNeeds } from "./handlers/forget.ts";
import { applyMetrics } from "./handlers/node-metrics.ts";
import { applyPost, checkPost } from "./handlers/post.ts";
import { applyStore, checkStore, endGrace, tagOf } from "./handlers/store.ts";
import { applyVm, checkVm } from "./handlers/vm.ts";
import { mayForgetUsed, newVmNeeds } from "./kept-files.ts";
import { applyLedgerPost, checkLedgerPost } from "./ledger/apply-ledger-post.ts";
import { recordCost } from "./ledger/message-costs.ts";
import { need, type Outcome, reject, type Stop, waitForFunds } from "./outcome.ts";
import type { PreparedMessage } from "./prepared.ts";
import { priceQuestion } from "./price-question.ts";
import type { StateContext } from "./rules.ts";
import { liveMessageOf } from "./target.ts";
import { missingFacts, type Need, pairKey, type World } from "./world.ts";

/** Facts that nearly every message needs, so that a batch fetches them in one go. */
export function primaryNeeds(context: StateContext, message: PreparedMessage): Need[] {
  const { envelope, content } = message;
  const needs: Need[] = [{ table: "items", key: envelope.itemHash }];
  if (envelope.sender.toLowerCase() !== content.owner.toLowerCase()) {
    needs.push({ table: "security", key: content.owner });
  }
  const detail = content.detail;
  switch (detail.kind) {
    case "POST":
      if (detail.amends !== null)
        needs.push({ table: "items", key: detail.amends }, { table: "posts", key: detail.amends });
      break;
    case "AGGREGATE":
      for (const each of aggregateNeeds(content.owner, detail)) needs.push(each);
      break;
    case "STORE":
      needs.push({ table: "files", key: detail.fileHash });
      needs.push({ table: "tags", key: tagOf(context.rules, envelope.itemHash, content.owner, content.ref) });
      break;
    case "FORGET":
      for (const hash of detail.hashes) needs.push({ table: "items", key: hash });
      break;
    default:
      for (const reference of detail.references) needs.push({ table: "items", key: reference.hash });
  }
  return needs;
}

/**
 * Judges one valid copy and, when it passes, applies it to the world. The world is changed only when the
 * outcome is `processed`, `confirmed` or `forgotten`; after `need` the caller fetches and asks again.
 */
export function processMessage(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  observedMicros: bigint,
): Outcome {
  const outcome = judgeMessage(world, context, message, observedMicros);
  if (outcome.kind !== "reject" && outcome.kind !== "wait") return outcome;
  if (context.rules.canonicalOrder) return { ...outcome, waits: allWaits(message, outcome.waits) };
  // As in the reference: what is refused is judged again only when it is sent again.
  return outcome.kind === "reject" ? { ...outcome, waits: [] } : outcome;
}

/** Of what a delegate signed, the first reason to refuse it may always become that his right has ended. */
function allWaits({ envelope, content }: PreparedMessage, waits: readonly string[]): readonly string[] {
  if (isOwnerItself(envelope.sender, content.owner)) return waits;
  return [...new Set([...waits, `security:${content.owner}`])];
}

function judgeMessage(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  observedMicros: bigint,
): Outcome {
  const hash = message.envelope.itemHash;
  const missing = missingFacts(world, [{ table: "items", key: hash }]);
  if (missing.length > 0) return need(missing);
  const item = world.facts.items.get(hash);
  if (item?.live) return addCopy(world, context, message, item, item.live);
  if (item?.forgotten) return showForgottenCopy(world, context, message, item, item.forgotten);
  if (item?.status === "removed" && !context.rules.removedMayReturn) return { kind: "removed" };
  const forgotten = forgetOnArrival(world, context, message, item);
  if (forgotten !== null) return forgotten;
  const checks = [
    () => checkPermission(world, context.rules, message),
    () => checkDetail(world, context, message),
  ];
  for (const check of checks) {
    const stop = check();
    if (stop !== null && (stop.kind === "need" || !context.rules.acceptedBefore)) return stop;
  }
  const question = priceQuestion(world, context, message, observedMicros);
  if (question !== null && "cost" in question) {
    const verdict = context.priceCheck(question);
    if (!verdict.ok && verdict.isLackOfNode === true)
      return waitForFunds(verdict.error, message.content.owner);
    if (!verdict.ok) return { ...reject(verdict.error, verdict.waits ?? []), payment: question };
  } else if (question !== null) return question;
  const missingForApply = missingFacts(world, applyNeeds(world, context, message));
  if (missingForApply.length > 0) return need(missingForApply);
  applyMessage(world, context, message, item);
  if (question !== null) recordCost(world, question);
  return { kind: "processed" };
}

/** What has been forgotten before it came is applied as that; null when it has not. */
function forgetOnArrival(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  item: ItemFact | null,
): Outcome | null {
  const parent = forgottenParent(world, context, message);
  if (typeof parent === "string") {
    return checkDetail(world, context, message) ?? applyForgottenChild(world, context, message, item, parent);
  }
  if (parent !== null) return parent;
  const covering = standingForgets(world, context, message);
  if ("kind" in covering) return covering;
  return covering.length === 0 ? null : applyForgottenElement(world, context, message, item, covering);
}

/** What the type asks for: files, originals, references, targets. */
function checkDetail(world: World, context: StateContext, message: PreparedMessage): Stop {
  const detail = message.content.detail;
  switch (detail.kind) {
    case "POST":
      return checkPost(world, context, message) ?? checkLedgerPost(world, context, message);
    case "AGGREGATE":
      return null;
    case "STORE":
      return checkStore(world, context, message, detail);
    case "FORGET":
      return checkForget(world, context, message, detail);
    default:
      return checkVm(world, context, message, detail);
  }
}

function applyNeeds(world: World, context: StateContext, message: PreparedMessage): Need[] {
  const { content, envelope } = message;
  const detail = content.detail;
  const needs: Need[] = [];
  if (envelope.itemType !== "inline") {
    needs.push({ table: "contentPins", key: envelope.itemHash }, { table: "graces", key: envelope.itemHash });
  }
  if (world.facts.items.get(envelope.itemHash)?.removed !== undefined)
    needs.push({ table: "copies", key: envelope.itemHash });
  switch (detail.kind) {
    case "AGGREGATE":
      return [...needs, ...aggregateNeeds(content.owner, detail)];
    case "STORE":
      return [...needs, { table: "graces", key: detail.fileHash }];
    case "POST":
      return needs;
    case "FORGET":
      return [...needs, ...forgettingNeeds(world, context, message, detail)];
    default:
      if (!mayForgetUsed(context)) return needs;
      return [...needs, ...newVmNeeds(world, envelope.itemHash, detail.references)];
  }
}

function applyMessage(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  item: ItemFact | null,
): void {
  const { envelope, content } = message;
  const hash = envelope.itemHash;
  const copy: CopyFact = {
    envelopeText: message.envelopeText,
    contentText: message.contentText,
    served: true,
  };
  world.facts.copies.load(hash, []);
  const others = (world.facts.copies.get(hash) ?? []).filter((one) => one.envelopeText !== copy.envelopeText);
  world.facts.copies.set(hash, [copy, ...others.map((one) => ({ ...one, served: false }))]);
  world.facts.items.set(hash, {
    status: "processed",
    receptionMicros: item?.receptionMicros ?? context.nowMicros,
    live: liveMessageOf(message),
    forgotten: null,
  });
  if (content.detail.kind !== "FORGET" && envelope.sender.toLowerCase() !== content.owner.toLowerCase()) {
    world.facts.delegations.load(hash, null);
    world.facts.delegations.set(hash, [content.owner]);
  }
  if (envelope.itemType !== "inline") pinContent(world, message);
  applyDetail(world, context, message);
  world.events.push({ hash, kind: "processed", cause: null });
  world.wakes.add(`item:${hash}`);
}

/**
 * The file of a content that is not inline is kept for its sender. The time of grace of its upload has done its
 * service; what is uploaded from now on is somebody's own.
 */
function pinContent(world: World, message: PreparedMessage): void {
  const hash = message.envelope.itemHash;
  const key = pairKey("content", hash, hash);
  world.facts.pins.load(key, null);
  world.facts.pins.set(key, {
    kind: "content",
    fileHash: hash,
    owner: message.envelope.sender,
    ref: null,
    tag: null,
    createdMicros: message.content.timeMicros,
  });
  world.index.contentPins.set(hash, [hash]);
  endGrace(world, hash);
}

function applyDetail(world: World, context: StateContext, message: PreparedMessage): void {
  const detail = message.content.detail;
  switch (detail.kind) {
    case "POST":
      applyPost(world, message);
      applyMetrics(world, context, message);
      applyLedgerPost(world, context, message);
      break;
    case "AGGREGATE":
      applyAggregate(world, message, detail);
      break;
    case "STORE":
      applyStore(world, context, message, detail);
      break;
    case "FORGET":
      applyForget(world, context, message, detail);
      break;
    default:
      applyVm(world, context, message, detail);
  }
}
