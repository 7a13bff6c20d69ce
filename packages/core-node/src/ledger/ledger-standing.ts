import {
  type Acceptance,
  type CopyFact,
  type CostFact,
  creditsAt,
  fetchMissing,
  type LedgerRules,
  type Need,
  namedFileNeeds,
  namedFiles,
  type PreparedMessage,
  publicationSince,
  type RemovalFact,
  servedOf,
  sizeNeeds,
  World,
} from "@twentysix/state";
import type { FactReader } from "@twentysix/storage/reader";
import type { CopyReader } from "../pipeline/copy-reader.ts";
import type {
  BillReport,
  EndedReport,
  ReportedAcceptance,
  ReportedFile,
  ReportedLine,
  ReportedRemoval,
  StandingReport,
} from "./payment-report.ts";
import {
  reportAccount,
  reportAmounts,
  reportFunds,
  reportLine,
  reportServed,
  reportShortfall,
} from "./report-amounts.ts";
import { reportFiles } from "./report-files.ts";

export interface StandingSources {
  readonly facts: Pick<FactReader, "snapshot">;
  readonly rules: LedgerRules;
  readonly reader: Pick<CopyReader, "prepare">;
}

/** Loads what is asked for into a world. */
type Fetch = (needs: readonly Need[]) => Promise<void>;

/**
 * What a live message costs since it was accepted, and what is left for it of its owner's funds once everything
 * before it in canonical order is served. null for what costs nothing.
 */
export async function standingOf(
  sources: StandingSources,
  itemHash: string,
  nowMicros: bigint,
): Promise<StandingReport | null> {
  const { rules } = sources;
  return await overFacts(sources, async (world, fetch) => {
    await fetch([
      { table: "costs", key: itemHash },
      { table: "removals", key: itemHash },
      { table: "publications", key: "balances" },
      { table: "publications", key: "credits" },
    ]);
    const cost = world.facts.costs.get(itemHash);
    if (cost === null) return null;
    const { owner, paymentType } = cost;
    await fetch([
      { table: "accounts", key: owner },
      { table: "lots", key: owner },
      { table: "ownedCosts", key: owner },
    ]);
    const account = world.facts.accounts.get(owner);
    if (account === null) throw new Error(`${itemHash} has a cost and its owner no account`);
    const removal = world.facts.removals.get(itemHash);
    const served = paymentType === "superfluid" ? [] : servedOf(world, rules, owner, paymentType, nowMicros);
    const own = served.find((one) => one.cost.hash === itemHash);
    return {
      ...(await billOf(world, fetch, sources, itemHash, cost)),
      isRemovable: cost.isRemovable,
      account: reportAccount(account, creditsAt(world.facts.lots.get(owner) ?? [], nowMicros)),
      served: own === undefined ? null : reportServed(own),
      removal:
        removal === null
          ? null
          : { ...reportRemoval(removal), isConfirmed: publicationSince(world, removal) !== null },
    };
  });
}

/** What a removed message cost, and why it ended; null where nothing of that was kept. */
export async function endedOf(sources: StandingSources, itemHash: string): Promise<EndedReport | null> {
  return await overFacts(sources, async (world, fetch) => {
    await fetch([{ table: "removedBills", key: itemHash }]);
    const kept = world.facts.removedBills.get(itemHash);
    if (kept === null) return null;
    const { cost, removal, ended, publication } = kept;
    return {
      ...(await billOf(world, fetch, sources, itemHash, cost)),
      removal: reportRemoval(removal),
      ended: reportShortfall(ended),
      publication: {
        itemHash: publication.hash,
        publishedMicros: publication.timeMicros,
        heardMicros: publication.processedMicros,
      },
    };
  });
}

async function overFacts<T>(
  { facts }: Pick<StandingSources, "facts">,
  work: (world: World, fetch: Fetch) => Promise<T>,
): Promise<T> {
  return await facts.snapshot(async (load) => {
    const world = new World();
    return await work(world, (needs) =>
      fetchMissing(world, needs, (missing) => load(world, missing) as undefined),
    );
  });
}

async function billOf(
  world: World,
  fetch: Fetch,
  { rules, reader }: Pick<StandingSources, "rules" | "reader">,
  itemHash: string,
  cost: CostFact,
): Promise<BillReport> {
  await fetch([{ table: "copies", key: itemHash }]);
  const copies = world.facts.copies.get(itemHash) ?? [];
  const copy = copies.find(({ served }) => served) ?? copies[0];
  const message = copy === undefined ? null : readAgain(reader, copy);
  const lines = cost.lines.map(reportLine);
  return {
    owner: cost.owner,
    paymentType: cost.paymentType,
    priceList: cost.priceListHash,
    lines,
    total: reportAmounts(cost),
    isBilled: cost.isBilled,
    acceptance: reportAcceptance(cost.acceptance),
    files: message === null ? [] : await filesOf(world, fetch, message, lines),
    runtimeSeconds: Number(rules.creditRuntimeSeconds),
  };
}

/** A copy of an older schema may have become unreadable; then its bill is told without its files. */
function readAgain(
  reader: Pick<CopyReader, "prepare">,
  { envelopeText, contentText }: CopyFact,
): PreparedMessage | null {
  try {
    return reader.prepare(envelopeText, contentText);
  } catch {
    return null;
  }
}

async function filesOf(
  world: World,
  fetch: Fetch,
  message: PreparedMessage,
  lines: readonly ReportedLine[],
): Promise<ReportedFile[]> {
  await fetch(namedFileNeeds(message));
  await fetch(sizeNeeds(namedFiles(world, message)));
  return reportFiles(world, message, lines);
}

function reportRemoval({ sinceMicros, deleteByMicros, reason, marked }: RemovalFact): ReportedRemoval {
  return {
    sinceMicros,
    deleteByMicros,
    reason,
    marked: marked === null ? null : reportShortfall(marked),
  };
}

const reportAcceptance = (acceptance: Acceptance | null): ReportedAcceptance | null =>
  acceptance === null
    ? null
    : { rule: acceptance.rule, funds: acceptance.funds === null ? null : reportFunds(acceptance.funds) };
