import { messageError } from "@twentysix/protocol";
import {
  type AmendFact,
  compareVersions,
  type ForgottenMessage,
  type LiveMessage,
  type Version,
} from "../facts.ts";
import { need, reject, type Stop, wait } from "../outcome.ts";
import type { PreparedMessage } from "../prepared.ts";
import type { StateContext } from "../rules.ts";
import { missingFacts, type World } from "../world.ts";

/**
 * May this POST be applied? An amend needs its original, which must not be an amend itself and must have the
 * same owner. Source: pyaleph `src/aleph/handlers/content/post.py`.
 */
export function checkPost(world: World, context: StateContext, message: PreparedMessage): Stop {
  const detail = message.content.detail;
  if (detail.kind !== "POST" || detail.amends === null) return null;
  const target = detail.amends;
  const missing = missingFacts(world, [{ table: "items", key: target }]);
  if (missing.length > 0) return need(missing);
  const original = originalOf(world, context, target);
  if (original === null || original.type !== "POST") {
    return wait(messageError("POST_AMEND_TARGET_NOT_FOUND", null), [`item:${target}`]);
  }
  const waits = [`item:${target}`];
  if (original.label === "amend") return reject(messageError("POST_AMEND_AMEND", null), waits);
  if (original.owner !== message.content.owner) {
    return reject(
      messageError("PERMISSION_DENIED", {
        errors: [`Owner ${message.content.owner} may not amend a post of address ${original.owner}`],
      }),
      waits,
    );
  }
  return requirePost(world, target, original);
}

function requirePost(world: World, target: string, original: LiveMessage | ForgottenMessage): Stop {
  if (world.forgotten(target) === original) return null;
  const missing = missingFacts(world, [{ table: "posts", key: target }]);
  return missing.length > 0 ? need(missing) : null;
}

/** Forgotten originals count under canonical order, so that the order of a FORGET and an amend is all one. */
function originalOf(
  world: World,
  context: StateContext,
  hash: string,
): LiveMessage | ForgottenMessage | null {
  return world.live(hash) ?? (context.rules.canonicalOrder ? world.forgotten(hash) : null);
}

/** Writes the post, or the amend and the version that is now shown. */
export function applyPost(world: World, message: PreparedMessage): void {
  const { envelope, content } = message;
  const version: Version = { timeMicros: content.timeMicros, hash: envelope.itemHash };
  const target = content.detail.kind === "POST" ? content.detail.amends : null;
  if (target !== null) {
    addAmend(world, { ...version, target, hasTags: content.tags.length > 0 });
    return;
  }
  world.facts.posts.load(version.hash, null);
  world.facts.posts.set(version.hash, {
    owner: content.owner,
    type: content.label ?? "",
    channel: envelope.channel,
    ref: content.ref,
    createdMicros: content.timeMicros,
    current: version,
    tagged: version,
  });
}

function addAmend(world: World, amend: AmendFact): void {
  world.facts.amends.load(amend.hash, null);
  world.facts.amends.set(amend.hash, amend);
  const known = world.index.amendsOf.peek(amend.target);
  if (known !== undefined) world.index.amendsOf.set(amend.target, [...(known ?? []), amend]);
  const post = world.facts.posts.get(amend.target);
  if (post === null || amend.timeMicros <= post.createdMicros) return;
  const current = supersedes(amend, post.current, amend.target) ? amend : post.current;
  const tagged = amend.hasTags && supersedes(amend, post.tagged, amend.target) ? amend : post.tagged;
  if (current === post.current && tagged === post.tagged) return;
  world.facts.posts.set(amend.target, { ...post, current: versionOf(current), tagged: versionOf(tagged) });
  world.events.push({ hash: amend.target, kind: "revised", cause: { by: amend.hash } });
}

/** Any amend dated after the original beats the original; among amends the canonical order decides. */
function supersedes(amend: Version, shown: Version, original: string): boolean {
  return shown.hash === original || compareVersions(amend, shown) > 0;
}

const versionOf = (version: Version): Version => ({ timeMicros: version.timeMicros, hash: version.hash });

/** What must be known before a POST can be taken back. */
export function postRetractionNeeds(
  hash: string,
  live: LiveMessage,
): { table: "posts" | "amends" | "amendsOf"; key: string }[] {
  if (live.label !== "amend" || live.ref === null) {
    return [
      { table: "posts", key: hash },
      { table: "amendsOf", key: hash },
    ];
  }
  return [
    { table: "amends", key: hash },
    { table: "posts", key: live.ref },
    { table: "amendsOf", key: live.ref },
  ];
}

/** Takes a post or an amend out of the derived state. The amends of a post are the caller's to take along. */
export function retractPost(world: World, hash: string, live: LiveMessage): void {
  if (live.label !== "amend" || live.ref === null) {
    world.facts.posts.set(hash, null);
    return;
  }
  world.facts.amends.set(hash, null);
  const rest = (world.index.amendsOf.get(live.ref) ?? []).filter((amend) => amend.hash !== hash);
  world.index.amendsOf.set(live.ref, rest);
  const post = world.facts.posts.get(live.ref);
  if (post === null) return;
  const original: Version = { timeMicros: post.createdMicros, hash: live.ref };
  const later = rest.filter((amend) => amend.timeMicros > post.createdMicros);
  const current = newest(later) ?? original;
  const tagged = newest(later.filter((amend) => amend.hasTags)) ?? original;
  world.facts.posts.set(live.ref, { ...post, current: versionOf(current), tagged: versionOf(tagged) });
  world.events.push({ hash: live.ref, kind: "revised", cause: { without: hash } });
}

function newest(versions: readonly Version[]): Version | null {
  let best: Version | null = null;
  for (const version of versions) if (best === null || compareVersions(version, best) > 0) best = version;
  return best;
}
