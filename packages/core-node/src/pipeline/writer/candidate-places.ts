import { ERROR_TABLE } from "@twentysix/protocol";
import { compareCopies, type PreparedMessage, signedByOwner } from "@twentysix/state";
import type { MessageStore } from "@twentysix/storage";
import type { CopyReader } from "../copy-reader.ts";

/** Candidate copies kept of one item. */
export const MAX_CANDIDATES_PER_ITEM = 16;

type Rival = ReturnType<MessageStore["rivalCandidates"]>[number];

interface Place {
  readonly rival: Rival;
  readonly message: PreparedMessage | null;
  readonly sender: string;
}

/**
 * Which of too many copies of one item goes. Anyone can sign a copy of a message, and relay any copy with other
 * unsigned fields, so places are not given to who comes first: the sender with the most copies gives one up; of
 * his, and among those with as many, first what is known to have no right, then what ranks last.
 */
export function crowdedOut(rivals: readonly Rival[], reader: CopyReader): Rival {
  const places = rivals.map((rival) => placeOf(rival, reader));
  const crowd = new Map<string, number>();
  for (const { sender } of places) crowd.set(sender, (crowd.get(sender) ?? 0) + 1);
  const worst = places.reduce((least, place) => (compare(crowd, place, least) > 0 ? place : least));
  return worst.rival;
}

function placeOf(rival: Rival, reader: CopyReader): Place {
  const message = reader.prepare(rival.envelopeText, rival.contentText);
  const sender = message?.envelope.sender ?? senderOf(rival.envelopeText);
  return { rival, message, sender };
}

const senderOf = (envelopeText: string): string => (JSON.parse(envelopeText) as { sender: string }).sender;

/** Positive when `a` is to go before `b`. */
function compare(crowd: ReadonlyMap<string, number>, a: Place, b: Place): number {
  return (
    Number(isUndecided(a)) - Number(isUndecided(b)) ||
    Number(isOwners(b)) - Number(isOwners(a)) ||
    (crowd.get(a.sender) ?? 0) - (crowd.get(b.sender) ?? 0) ||
    Number(isDenied(a)) - Number(isDenied(b)) ||
    compareMessages(a.message, b.message)
  );
}

const isOwners = ({ message }: Place): boolean => message !== null && signedByOwner(message);

/** Whoever made it may have written any sender into it. */
const isUndecided = ({ rival }: Place): boolean => rival.code === ERROR_TABLE.SIGNATURE_UNDECIDED.code;

const isDenied = ({ rival }: Place): boolean => rival.code === ERROR_TABLE.PERMISSION_DENIED.code;

function compareMessages(a: PreparedMessage | null, b: PreparedMessage | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return compareCopies(a, b);
}
