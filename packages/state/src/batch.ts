import { refold, refoldNeeds } from "./handlers/aggregate.ts";
import { scheduleNeeds, scheduleTouched } from "./ledger/accounts.ts";
import { settleLots } from "./ledger/credit-entries.ts";
import type { PriceLists } from "./ledger/price-lists.ts";
import { changesPrices, listsInForce } from "./ledger/prices-in-force.ts";
import type { Outcome } from "./outcome.ts";
import type { PreparedMessage } from "./prepared.ts";
import { primaryNeeds, processMessage } from "./process.ts";
import { rejudgeOwner } from "./rejudge.ts";
import type { StateContext, StateRules } from "./rules.ts";
import { layOutSkeletons, type Skeleton, skeletonNeeds, takeCoveredSkeletons } from "./skeletons.ts";
import { type Need, tableOf, type World } from "./world.ts";

/** One copy to judge. */
export interface BatchEntry {
  readonly message: PreparedMessage;
  /** The rules that this copy is judged by, where they are not those of the batch. */
  readonly rules?: StateRules;
  /** Confirmation time when there is one, else reception. */
  readonly observedMicros: bigint;
  /** Beside a FORGET: what its source has kept of messages that it hides. */
  readonly skeletons?: readonly Skeleton[];
  /** Called right after the copy was judged, before the next one is. */
  readonly onOutcome?: (outcome: Exclude<Outcome, { kind: "need" }>) => void;
}

/** Loads the facts asked for into the world; a promise where the store is remote. */
export type FetchFacts = (needs: readonly Need[]) => Promise<void> | undefined;

/** Copies whose facts are fetched together. */
const GROUP = 128;
/** Rounds of fetching that one decision may take; more is a defect. */
const MAX_ROUNDS = 200;

/**
 * Judges copies in order against one world: facts are fetched set-wise for a group of them, and the rare further ones
 * as decisions ask for them. Ends with what the batch as a whole set off: delegations judged again, aggregates
 * folded again.
 *
 * @param maxHeldCharacters the copy with which the facts pass it is the last
 * @returns how many copies were judged, at least one
 */
export async function runBatch(
  world: World,
  context: StateContext,
  entries: readonly BatchEntry[],
  fetch: FetchFacts,
  maxHeldCharacters = Number.POSITIVE_INFINITY,
): Promise<number> {
  let judged = 0;
  const isFull = (): boolean => judged > 0 && world.heldCharacters > maxHeldCharacters;
  while (judged < entries.length && !isFull()) {
    const group = entries.slice(judged, judged + GROUP);
    const needs = group.flatMap((entry) => primaryNeeds(context, entry.message));
    await fetchMissing(world, needs, fetch);
    for (const entry of group) {
      if (isFull()) break;
      entry.onOutcome?.(await judgeWithSkeletons(world, context, entry, fetch));
      judged += 1;
    }
  }
  if (context.rules.canonicalOrder) await rejudgeAll(world, context, fetch);
  await refoldAll(world, fetch);
  await settleAccounts(world, context, fetch);
  if (context.rules.ledger !== null && changesPrices(world, context)) await readPrices(world, context, fetch);
  return judged;
}

/** Reads which prices are in force, so that they are known by name before anything is priced by them. */
export async function readPrices(
  world: World,
  context: StateContext,
  fetch: FetchFacts,
): Promise<PriceLists> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const lists = listsInForce(world, context);
    if (!("needs" in lists)) return lists;
    await fetchMissing(world, lists.needs, fetch);
  }
  throw new Error(`Reading the prices in force asked for facts ${MAX_ROUNDS} times`);
}

/** Counts in what reached the ledger late, and dates the next look at every account that the batch touched. */
export async function settleAccounts(world: World, context: StateContext, fetch: FetchFacts): Promise<void> {
  const { ledger } = context.rules;
  if (ledger === null || world.touchedAccounts.size === 0) return;
  await fetchMissing(
    world,
    [...world.unsettledLots].map((key) => ({ table: "creditHistory" as const, key })),
    fetch,
  );
  for (const address of world.unsettledLots) settleLots(world, address);
  await fetchMissing(world, scheduleNeeds(world), fetch);
  scheduleTouched(world, ledger, context.nowMicros);
}

async function judgeWithSkeletons(
  world: World,
  context: StateContext,
  entry: BatchEntry,
  fetch: FetchFacts,
): Promise<Exclude<Outcome, { kind: "need" }>> {
  const { skeletons = [] } = entry;
  if (skeletons.length === 0) return await judge(world, context, entry, fetch);
  await fetchMissing(world, skeletonNeeds(skeletons), fetch);
  layOutSkeletons(world, context, skeletons);
  const outcome = await judge(world, context, entry, fetch);
  takeCoveredSkeletons(world, context);
  world.skeletons.clear();
  return outcome;
}

async function judge(
  world: World,
  context: StateContext,
  entry: BatchEntry,
  fetch: FetchFacts,
): Promise<Exclude<Outcome, { kind: "need" }>> {
  const own = entry.rules === undefined ? context : { ...context, rules: entry.rules };
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const outcome = processMessage(world, own, entry.message, entry.observedMicros);
    if (outcome.kind !== "need") return outcome;
    await fetchMissing(world, outcome.needs, fetch);
  }
  throw new Error(`Judging ${entry.message.envelope.itemHash} asked for facts ${MAX_ROUNDS} times`);
}

async function rejudgeAll(world: World, context: StateContext, fetch: FetchFacts): Promise<void> {
  for (const owner of world.rejudge) {
    for (let round = 0; ; round += 1) {
      if (round >= MAX_ROUNDS) throw new Error(`Judging the delegations of ${owner} does not end`);
      const needs = rejudgeOwner(world, context, owner);
      if (needs.length === 0) break;
      await fetchMissing(world, needs, fetch);
    }
  }
}

async function refoldAll(world: World, fetch: FetchFacts): Promise<void> {
  for (const [key, staleFields] of world.refold) {
    await fetchMissing(world, refoldNeeds(key, staleFields), fetch);
    refold(world, key, staleFields);
  }
}

/** Fetches those of the facts that the world does not know yet, each once. */
export async function fetchMissing(world: World, needs: readonly Need[], fetch: FetchFacts): Promise<void> {
  const unique = new Map<string, Need>();
  for (const need of needs) {
    if (!tableOf(world, need.table).has(need.key)) unique.set(`${need.table}:${need.key}`, need);
  }
  if (unique.size === 0) return;
  const pending = fetch([...unique.values()]);
  if (pending !== undefined) await pending;
}
