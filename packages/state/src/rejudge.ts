import { authorityOf, type RankedCopy } from "./authority.ts";
import { preparedCopy } from "./copies.ts";
import type { PreparedMessage } from "./prepared.ts";
import { retractItem, retractNeeds } from "./retract-item.ts";
import type { StateContext } from "./rules.ts";
import { serveNeeds, serveRanked } from "./serve.ts";
import { missingFacts, type Need, type World } from "./world.ts";

/** The copies of a live message by whether they still may be. */
interface Coverage {
  readonly hash: string;
  readonly covered: readonly RankedCopy[];
  readonly uncovered: readonly PreparedMessage[];
}

/**
 * Judges again every live message that relies on the delegations of `owner`, and takes back those that they no
 * longer cover. A message with another copy that is covered stays, shown by that one.
 *
 * @returns what must be fetched before this can be done, empty when it is done
 */
export function rejudgeOwner(world: World, context: StateContext, owner: string): readonly Need[] {
  const missing = missingFacts(world, [{ table: "delegatedUses", key: owner }]);
  if (missing.length > 0) return missing;
  const needs: Need[] = [];
  const changed: Coverage[] = [];
  for (const hash of world.index.delegatedUses.get(owner) ?? []) {
    const coverage = coverageOf(world, context, hash);
    if (coverage === null) continue;
    if (Array.isArray(coverage)) for (const each of coverage) needs.push(each);
    else if (coverage.uncovered.length > 0) changed.push(coverage);
  }
  for (const { hash, covered } of changed) {
    const live = world.live(hash);
    const asked =
      covered.length === 0 || live === null
        ? retractNeeds(world, context, hash)
        : serveNeeds(world, context, hash, live);
    for (const each of missingFacts(world, asked)) needs.push(each);
  }
  if (needs.length > 0) return needs;
  for (const coverage of changed) takeBack(world, context, coverage, owner);
  return [];
}

/** null for what is not live any more. */
function coverageOf(world: World, context: StateContext, hash: string): Coverage | Need[] | null {
  const missing = missingFacts(world, [
    { table: "items", key: hash },
    { table: "copies", key: hash },
  ]);
  if (missing.length > 0) return missing;
  if (world.live(hash) === null) return null;
  const covered: RankedCopy[] = [];
  const uncovered: PreparedMessage[] = [];
  for (const copy of world.facts.copies.get(hash) ?? []) {
    const message = preparedCopy(context, hash, copy);
    const authority = authorityOf(world, context, message);
    if (authority.kind === "need") return [...authority.needs];
    if (authority.kind === "granted") covered.push({ message, owners: authority.owners });
    else uncovered.push(message);
  }
  return { hash, covered, uncovered };
}

function takeBack(world: World, context: StateContext, coverage: Coverage, owner: string): void {
  const { hash, covered, uncovered } = coverage;
  const item = world.facts.items.get(hash);
  // An earlier one of this round may have taken it along.
  if (item === null || item.live === null) return;
  if (covered.length === 0) {
    retractItem(world, context, hash, `security:${owner}`);
    return;
  }
  serveRanked(world, context, hash, item, item.live, covered);
  world.queueCopies(hash, uncovered, false);
}
