import type { CopyTexts, FactsTableName, IndexTableName, Need, World } from "@twentysix/state";
import { loadCost, loadOwnedCosts } from "./ledger/costs.ts";
import { loadCreditHistory, loadEntries } from "./ledger/credit-entries.ts";
import { loadAccount, loadBalance, loadLots } from "./ledger/load-accounts.ts";
import { loadRemoval, loadRemovedBill } from "./ledger/removals.ts";
import { loadPublication } from "./ledger/save-accounts.ts";
import {
  loadAggregate,
  loadAggregateContents,
  loadAmend,
  loadAmendsOf,
  loadElement,
  loadElementsOf,
  loadField,
  loadPost,
  loadSecurity,
  loadVm,
  loadVmUsers,
  loadVmVersions,
} from "./load-derived.ts";
import {
  countPins,
  loadContentPins,
  loadFile,
  loadGrace,
  loadPin,
  loadTag,
  loadTagPins,
} from "./load-files.ts";
import { loadItem } from "./load-messages.ts";
import {
  loadCandidates,
  loadCopies,
  loadDelegatedUses,
  loadDelegations,
  loadForgets,
  loadForgetTargets,
  loadForgottenChildren,
} from "./load-relations.ts";
import { loadMeasurements } from "./node-measurements.ts";
import type { ReadElementFields } from "./stored-content.ts";
import { loadForgottenElements, loadTombstones } from "./tombstones.ts";
import type { WriterSession } from "./writer-session.ts";

/**
 * Loads the facts asked for into the world. Point reads: in process each costs a few microseconds, less than
 * assembling and parsing one set-wise statement; to a server they are sent together.
 */
export function loadFacts(
  session: WriterSession,
  world: World,
  needs: readonly Need[],
  read: ReadElementFields,
): void {
  session.connection.together(needs.map((need) => () => loaders[need.table](session, world, need.key, read)));
}

/** Counts the texts of copies among what the batch holds. */
function heldCopies<Copy extends CopyTexts>(world: World, copies: readonly Copy[]): readonly Copy[] {
  for (const { envelopeText, contentText } of copies)
    world.heldCharacters += envelopeText.length + (contentText?.length ?? 0);
  return copies;
}

type Loader = (session: WriterSession, world: World, key: string, read: ReadElementFields) => void;

const loaders: Readonly<Record<FactsTableName | IndexTableName, Loader>> = {
  items: (session, world, key) => world.facts.items.load(key, loadItem(session, key)),
  copies: (session, world, key) => world.facts.copies.load(key, heldCopies(world, loadCopies(session, key))),
  posts: (session, world, key) => world.facts.posts.load(key, loadPost(session, key)),
  amends: (session, world, key) => world.facts.amends.load(key, loadAmend(session, key)),
  aggregates: (session, world, key) => world.facts.aggregates.load(key, loadAggregate(session, key)),
  fields: (session, world, key) => {
    const field = loadField(session, key);
    world.heldCharacters += field?.valueText.length ?? 0;
    world.facts.fields.load(key, field);
  },
  elements: (session, world, key) => world.facts.elements.load(key, loadElement(session, key)),
  pins: (session, world, key) => world.facts.pins.load(key, loadPin(session, key)),
  tags: (session, world, key) => world.facts.tags.load(key, loadTag(session, key)),
  vms: (session, world, key) => world.facts.vms.load(key, loadVm(session, key)),
  forgets: (session, world, key) => world.facts.forgets.load(key, loadForgets(session, key)),
  delegations: (session, world, key) => world.facts.delegations.load(key, loadDelegations(session, key)),
  graces: (session, world, key) => world.facts.graces.load(key, loadGrace(session, key)),
  tombstones: (session, world, key) => world.facts.tombstones.load(key, loadTombstones(session, key)),
  metrics: (session, world, key) => world.facts.metrics.load(key, loadMeasurements(session, key)),
  accounts: (session, world, key) => world.facts.accounts.load(key, loadAccount(session, key)),
  balances: (session, world, key) => world.facts.balances.load(key, loadBalance(session, key)),
  lots: (session, world, key) => world.facts.lots.load(key, loadLots(session, key)),
  entries: (session, world, key) => world.facts.entries.load(key, loadEntries(session, key)),
  costs: (session, world, key) => world.facts.costs.load(key, loadCost(session, key)),
  removals: (session, world, key) => world.facts.removals.load(key, loadRemoval(session, key)),
  removedBills: (session, world, key) => world.facts.removedBills.load(key, loadRemovedBill(session, key)),
  publications: (session, world, key) => world.facts.publications.load(key, loadPublication(session, key)),
  aggregateContents: (session, world, key) =>
    world.index.aggregateContents.load(key, loadAggregateContents(session, key)),
  creditHistory: (session, world, key) =>
    world.index.creditHistory.load(key, loadCreditHistory(session, key)),
  ownedCosts: (session, world, key) => world.index.ownedCosts.load(key, loadOwnedCosts(session, key)),
  files: (session, world, key) => world.index.files.load(key, loadFile(session, key)),
  security: (session, world, key, read) => {
    const elements = loadSecurity(session, key, read);
    for (const { authorizationsText } of elements) world.heldCharacters += authorizationsText.length;
    world.index.security.load(key, elements);
  },
  amendsOf: (session, world, key) => world.index.amendsOf.load(key, loadAmendsOf(session, key)),
  elementsOf: (session, world, key, read) => {
    const elements = loadElementsOf(session, key, read);
    for (const { fields } of elements)
      for (const [name, valueText] of fields) world.heldCharacters += name.length + valueText.length;
    world.index.elementsOf.load(key, elements);
  },
  forgottenElements: (session, world, key) =>
    world.index.forgottenElements.load(key, loadForgottenElements(session, key)),
  tagPins: (session, world, key) => world.index.tagPins.load(key, loadTagPins(session, key)),
  pinsOf: (session, world, key) => world.index.pinsOf.load(key, countPins(session, key)),
  contentPins: (session, world, key) => world.index.contentPins.load(key, loadContentPins(session, key)),
  candidates: (session, world, key) =>
    world.index.candidates.load(key, heldCopies(world, loadCandidates(session, key))),
  vmUsers: (session, world, key) => world.index.vmUsers.load(key, loadVmUsers(session, key)),
  vmVersions: (session, world, key) => world.index.vmVersions.load(key, loadVmVersions(session, key)),
  forgottenChildren: (session, world, key) =>
    world.index.forgottenChildren.load(key, loadForgottenChildren(session, key)),
  forgetTargets: (session, world, key) =>
    world.index.forgetTargets.load(key, loadForgetTargets(session, key)),
  delegatedUses: (session, world, key) =>
    world.index.delegatedUses.load(key, loadDelegatedUses(session, key)),
};
