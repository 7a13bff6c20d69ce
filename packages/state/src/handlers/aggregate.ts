import {
  compareVersions,
  type ElementFact,
  type FieldFact,
  type LiveMessage,
  type Version,
} from "../facts.ts";
import type { AggregateDetail, PreparedMessage } from "../prepared.ts";
import { type Need, pairKey, splitPairKey, type World } from "../world.ts";

/** The key under which delegations live. */
export const SECURITY_KEY = "security";

/** What must be known before an element is applied: the aggregate and the fields it may win. */
export function aggregateNeeds(owner: string, detail: AggregateDetail): Need[] {
  const needs: Need[] = [{ table: "aggregates", key: pairKey(owner, detail.key) }];
  for (const [field] of detail.fields)
    needs.push({ table: "fields", key: pairKey(owner, detail.key, field) });
  return needs;
}

/**
 * Merges one element: for each top-level field the greatest (content time, item hash) wins, so the order of
 * arrival does not matter.
 */
export function applyAggregate(world: World, message: PreparedMessage, detail: AggregateDetail): void {
  const owner = message.content.owner;
  const version: Version = { timeMicros: message.content.timeMicros, hash: message.envelope.itemHash };
  const key = pairKey(owner, detail.key);
  const element: ElementFact = { ...version, fields: detail.fields };
  world.facts.elements.load(version.hash, null);
  world.facts.elements.set(version.hash, { owner, key: detail.key, timeMicros: version.timeMicros });
  const elements = world.index.elementsOf.peek(key);
  if (elements !== undefined) world.index.elementsOf.set(key, [...(elements ?? []), element]);
  aggregateChanged(world, key);
  const known = world.facts.aggregates.get(key);
  const first = known === null || compareVersions(version, known.first) < 0 ? version : known.first;
  const last = known === null || compareVersions(version, known.last) > 0 ? version : known.last;
  world.facts.aggregates.set(key, { first, last });
  for (const [field, valueText] of detail.fields) {
    const fieldKey = pairKey(owner, detail.key, field);
    const holder = world.facts.fields.get(fieldKey);
    if (holder !== null && compareVersions(version, holder) <= 0) continue;
    world.facts.fields.set(fieldKey, { ...version, valueText });
  }
  if (detail.key === SECURITY_KEY) delegationsChanged(world, owner, detail, version);
}

/** Its whole content, if it is known to the batch, is to be read anew. */
function aggregateChanged(world: World, key: string): void {
  world.changedAggregates.add(key);
  world.index.aggregateContents.unload(key);
}

function delegationsChanged(world: World, owner: string, detail: AggregateDetail, version: Version): void {
  const authorizations = detail.fields.find(([field]) => field === "authorizations");
  const known = world.index.security.peek(owner);
  if (known !== undefined && authorizations !== undefined) {
    world.index.security.set(owner, [
      ...(known ?? []),
      { ...version, authorizationsText: authorizations[1] },
    ]);
  }
  world.rejudge.add(owner);
  world.wakes.add(`security:${owner}`);
}

/** What must be known before an element can be taken back: all elements of its aggregate. */
export function aggregateRetractionNeeds(hash: string, live: LiveMessage): Need[] {
  const key = pairKey(live.owner, live.label ?? "");
  return [
    { table: "elements", key: hash },
    { table: "aggregates", key },
    { table: "elementsOf", key },
  ];
}

/** Takes an element out; its aggregate is folded again once, however many of its elements the batch takes. */
export function retractAggregate(world: World, hash: string, live: LiveMessage): void {
  const aggregateKey = live.label ?? "";
  const key = pairKey(live.owner, aggregateKey);
  const elements = world.index.elementsOf.get(key) ?? [];
  world.facts.elements.set(hash, null);
  world.index.elementsOf.set(
    key,
    elements.filter((element) => element.hash !== hash),
  );
  const stale = world.refold.get(key) ?? new Set<string>();
  for (const [field] of elements.find((element) => element.hash === hash)?.fields ?? []) stale.add(field);
  world.refold.set(key, stale);
  if (aggregateKey !== SECURITY_KEY) return;
  const known = world.index.security.peek(live.owner);
  if (known !== undefined) {
    world.index.security.set(
      live.owner,
      (known ?? []).filter((element) => element.hash !== hash),
    );
  }
  world.rejudge.add(live.owner);
  world.wakes.add(`security:${live.owner}`);
}

/** What must be known before `refold`. */
export function refoldNeeds(key: string, fields: Iterable<string>): Need[] {
  const [owner = "", name = ""] = splitPairKey(key);
  return [...fields].map((field) => ({ table: "fields", key: pairKey(owner, name, field) }));
}

/**
 * Folds an aggregate again from its remaining elements. `staleFields` are the fields that elements taken out
 * may have held.
 */
export function refold(world: World, key: string, staleFields: Iterable<string>): void {
  const [owner = "", name = ""] = splitPairKey(key);
  aggregateChanged(world, key);
  const elements = world.index.elementsOf.get(key) ?? [];
  const winners = new Map<string, FieldFact>();
  let first: Version | null = null;
  let last: Version | null = null;
  for (const element of elements) {
    const version: Version = { timeMicros: element.timeMicros, hash: element.hash };
    if (first === null || compareVersions(version, first) < 0) first = version;
    if (last === null || compareVersions(version, last) > 0) last = version;
    for (const [field, valueText] of element.fields) {
      const held = winners.get(field);
      if (held === undefined || compareVersions(version, held) > 0)
        winners.set(field, { ...version, valueText });
    }
  }
  world.facts.aggregates.set(key, first === null || last === null ? null : { first, last });
  for (const field of staleFields) {
    const fieldKey = pairKey(owner, name, field);
    const winner = winners.get(field) ?? null;
    const held = world.facts.fields.get(fieldKey);
    if (held?.hash !== winner?.hash || held?.timeMicros !== winner?.timeMicros)
      world.facts.fields.set(fieldKey, winner);
  }
}
