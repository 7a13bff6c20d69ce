import { type CreditTransferEntry, invalidFormat, type MessageError } from "@twentysix/protocol";
import type { PreparedMessage } from "../prepared.ts";
import type { World } from "../world.ts";
import { blankEntry, NETWORK_PROVIDER, precisionOf } from "./credit-entries.ts";
import type { CreditEntry } from "./ledger-facts.ts";
import type { LedgerRules } from "./ledger-rules.ts";
import { consumeLots, creditsAt, type TakenCredits, transferPortions } from "./lots.ts";

/** Expirations below are seconds that were meant to be milliseconds: as such they lie in 1973 and before. */
const CLEARLY_SECONDS_MICROS = 10n ** 11n * 1_000n;

export interface Transfer {
  readonly entries: readonly CreditTransferEntry[];
  /** The sender is an authority: what it sends is new. */
  readonly mints: boolean;
}

/** What is wrong with a transfer by itself. */
export function refuseTransferContent(rules: LedgerRules, { entries }: Transfer): MessageError | null {
  if (!rules.refusesSecondsExpirations) return null;
  const wrong = entries.find(
    ({ expirationMicros }) => expirationMicros !== null && expirationMicros < CLEARLY_SECONDS_MICROS,
  );
  if (wrong === undefined) return null;
  return refusal(`expiration ${(wrong.expirationMicros ?? 0n) / 1_000n} is not in milliseconds`);
}

/**
 * Does the sender have what he sends? Its sum is compared with what he can spend now.
 * Source: pyaleph `src/aleph/handlers/content/post.py`.
 */
export function refuseTransferFunds(
  world: World,
  rules: LedgerRules,
  message: PreparedMessage,
  transfer: Transfer,
  nowMicros: bigint,
): MessageError | null {
  if (transfer.mints) return null;
  const sender = message.content.owner;
  const required = transfer.entries.reduce((sum, { amount }) => sum + amount, 0n);
  const lots = world.facts.lots.get(sender) ?? [];
  const available = creditsAt(lots, nowMicros);
  if (required > available) return refusal(`${required} credits are required, ${available} are available`);
  if (!rules.transfersFullyCovered) return null;
  const { timeMicros } = message.content;
  const scaled = required * precisionOf(rules, timeMicros);
  const covered = consumeLots(lots, scaled, timeMicros).taken.reduce((sum, { amount }) => sum + amount, 0n);
  return covered < scaled
    ? refusal(`of ${scaled} credits the sender had ${covered} at the time of the transfer`)
    : null;
}

const refusal = (reason: string): MessageError => invalidFormat(`Invalid credit transfer content: ${reason}`);

/**
 * The entries of a transfer: what each recipient gets, by the expiry of what the sender gives, and behind it what
 * the sender has less.
 */
export function transferEntries(
  world: World,
  rules: LedgerRules,
  message: PreparedMessage,
  { entries: recipients, mints }: Transfer,
): CreditEntry[] {
  const sender = message.content.owner;
  const { timeMicros } = message.content;
  const factor = precisionOf(rules, timeMicros);
  let lots = mints ? [] : (world.facts.lots.get(sender) ?? []);
  const entries: CreditEntry[] = [];
  const common = { provider: NETWORK_PROVIDER, paymentMethod: "credit_transfer" };
  for (const recipient of recipients) {
    const amount = recipient.amount * factor;
    const consumed = mints ? { lots, taken: [] } : consumeLots(lots, amount, timeMicros);
    lots = consumed.lots;
    for (const portion of portionsOf(consumed.taken, amount, recipient.expirationMicros)) {
      const { address } = recipient;
      entries.push({
        ...blankEntry(message, entries.length),
        ...common,
        ...portion,
        address,
        origin: sender,
      });
    }
    if (mints) continue;
    const { address: origin } = recipient;
    entries.push({
      ...blankEntry(message, entries.length),
      ...common,
      address: sender,
      amount: -amount,
      origin,
    });
  }
  return entries;
}

/** Where nothing was taken, from an authority or in default of credits, the recipient gets it all the same. */
function portionsOf(
  taken: readonly TakenCredits[],
  amount: bigint,
  requestedMicros: bigint | null,
): readonly TakenCredits[] {
  if (taken.length === 0) return [{ amount, expirationMicros: requestedMicros }];
  return transferPortions(taken, requestedMicros);
}
