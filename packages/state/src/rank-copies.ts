import type { CopyTexts } from "./facts.ts";
import type { PreparedMessage } from "./prepared.ts";
import type { StateContext } from "./rules.ts";

/**
 * The rank of two valid copies of one message; the lesser is the one to serve.
 *
 * What the author signed decides first: a copy signed by the owner, then one whose envelope time is nearest to
 * the signed content time (relays can write any), then plain text order of what is left.
 */
export function compareCopies(a: PreparedMessage, b: PreparedMessage): number {
  return (
    Number(signedByOwner(b)) - Number(signedByOwner(a)) ||
    compare(timeError(a), timeError(b)) ||
    compare(a.envelope.timeMicros, b.envelope.timeMicros) ||
    compare(a.envelope.itemType, b.envelope.itemType) ||
    compare(a.envelope.chain, b.envelope.chain) ||
    compare(a.envelope.sender, b.envelope.sender) ||
    compareChannels(a.envelope.channel, b.envelope.channel) ||
    compare(a.signatureId, b.signatureId) ||
    compareTexts(a.envelope.signature ?? "", b.envelope.signature ?? "") ||
    compareTexts(a.envelopeText, b.envelopeText)
  );
}

/** The first in rank of copies whose content is known; null when there is none. */
export function bestCopy(context: StateContext, copies: readonly CopyTexts[]): PreparedMessage | null {
  let best: PreparedMessage | null = null;
  for (const copy of copies) {
    const message = context.prepare(copy.envelopeText, copy.contentText);
    if (message !== null && (best === null || compareCopies(message, best) < 0)) best = message;
  }
  return best;
}

export const signedByOwner = (message: PreparedMessage): boolean =>
  message.envelope.sender.toLowerCase() === message.content.owner.toLowerCase();

function timeError(message: PreparedMessage): bigint {
  const difference = message.envelope.timeMicros - message.content.timeMicros;
  return difference < 0n ? -difference : difference;
}

function compare<T extends string | bigint | number>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The shorter first, so that nobody can make every node store padding. */
const compareTexts = (a: string, b: string): number => compare(a.length, b.length) || compare(a, b);

/** A channel before none, so that leaving it out gains nothing. */
function compareChannels(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return compare(a, b);
}
