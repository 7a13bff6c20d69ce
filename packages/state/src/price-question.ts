import type { PricedFile } from "@twentysix/protocol";
import { accountOf } from "./ledger/accounts.ts";
import { settleLots } from "./ledger/credit-entries.ts";
import type { LedgerRules } from "./ledger/ledger-rules.ts";
import { creditsAt } from "./ledger/lots.ts";
import { billOf, isPaidKind, type PaidKind, paymentTypeOfMessage } from "./ledger/message-bill.ts";
import type { PriceLists } from "./ledger/price-lists.ts";
import { listNeeds, listsInForce, revisionNeeds, revisionsInForce } from "./ledger/prices-in-force.ts";
import { fileBehind, type NamedFile, namedFileNeeds, namedFiles, sizeNeeds } from "./named-files.ts";
import { type Needing, need, type Refused, reject } from "./outcome.ts";
import type { PreparedMessage } from "./prepared.ts";
import type { PriceRequest, ReferencedFile, StateContext } from "./rules.ts";
import { missingFacts, type Need, type World } from "./world.ts";

const MICROS_PER_SECOND = 1_000_000;

/**
 * Puts together what the price hook is asked about a message: the files that it stores or references with their
 * sizes, the prices in force, the bill, and what the owner has and owes. null for what uses no resources. What is
 * not known yet is asked for; what has no price is refused.
 */
export function priceQuestion(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  observedMicros: bigint,
): PriceRequest | Needing | Refused | null {
  const { ledger } = context.rules;
  const { type } = message.envelope;
  if (ledger === null || !isPaidKind(type)) return null;
  const { owner } = message.content;
  const missing = missingFacts(world, [...priceNeeds(context, owner), ...namedFileNeeds(message)]);
  if (missing.length > 0) return need(missing);
  const unsettled = settleLots(world, owner);
  if (unsettled.length > 0) return need(unsettled);
  const named = namedFiles(world, message);
  const missingFiles = missingFacts(world, sizeNeeds(named));
  if (missingFiles.length > 0) return need(missingFiles);
  const lists = listsInForce(world, context);
  if ("needs" in lists) return lists;
  return pricedQuestion(world, context, message, observedMicros, { type, ledger, lists, named });
}

interface Gathered {
  readonly type: PaidKind;
  readonly ledger: LedgerRules;
  readonly lists: PriceLists;
  readonly named: readonly NamedFile[];
}

function pricedQuestion(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  observedMicros: bigint,
  { type, ledger, lists, named }: Gathered,
): PriceRequest | Refused {
  const sizeOf = (fileHash: string | null): number | null =>
    fileHash === null ? null : (world.index.files.get(fileHash)?.sizeBytes ?? null);
  const { detail, owner } = message.content;
  const storedBytes = detail.kind === "STORE" ? sizeOf(detail.fileHash) : null;
  const bill = billOf({
    rules: ledger,
    message,
    lists,
    storedBytes,
    referencedBytes: ({ hash, useLatest }: PricedFile) => sizeOf(fileBehind(world, { hash, useLatest })),
    readTyped: context.readTyped,
  });
  if (!bill.ok) return { ...reject(bill.error), priceList: lists.hash };
  const { nowMicros } = context;
  const gateMicros = ledger.observedTimeGates ? observedMicros : message.envelope.timeMicros;
  return {
    message,
    kind: type,
    paymentType: paymentTypeOfMessage(ledger, message),
    isPersistent: bill.cost.lines.some(({ name }) => name === "program_persistent"),
    files: named.flatMap(({ name, fileHash }): ReferencedFile[] => {
      const sizeBytes = sizeOf(fileHash);
      return fileHash === null || sizeBytes === null ? [] : [{ name, fileHash, sizeBytes }];
    }),
    storedBytes,
    priceList: revisionsInForce(world, context),
    lists,
    cost: bill.cost,
    account: accountOf(world, owner),
    credits: creditsAt(world.facts.lots.get(owner) ?? [], nowMicros),
    rules: ledger,
    gateSeconds: Number(gateMicros) / MICROS_PER_SECOND,
    observedMicros,
    nowMicros,
    world,
  };
}

function priceNeeds(context: StateContext, owner: string): Need[] {
  return [
    ...revisionNeeds(context),
    ...listNeeds(context),
    { table: "accounts", key: owner },
    { table: "lots", key: owner },
  ];
}
