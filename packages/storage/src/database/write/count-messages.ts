import type { ItemFact, LiveMessage } from "@twentysix/state";
import { MESSAGE_TYPE_CODE, STATUS_CODE } from "../codes.ts";
import type { WriterSession } from "./writer-session.ts";

/** Type of an item that is neither live nor forgotten, in the `status` counters. */
const UNKNOWN_TYPE = -1;

const typeOf = (item: ItemFact): number => {
  const message = item.live ?? item.forgotten ?? item.removed?.message;
  return message === null || message === undefined ? UNKNOWN_TYPE : MESSAGE_TYPE_CODE[message.type];
};

/** Items by status and type. */
export function countStatus(session: WriterSession, before: ItemFact | null, after: ItemFact): void {
  if (before !== null) session.counters.add("status", STATUS_CODE[before.status], typeOf(before), -1);
  session.counters.add("status", STATUS_CODE[after.status], typeOf(after), 1);
}

/** Live messages along every dimension that lists give totals for. */
export function countLive(session: WriterSession, before: ItemFact | null, after: ItemFact): void {
  if (before !== null && before.live !== null) add(session, before.live, before.status === "processed", -1);
  if (after.live !== null) add(session, after.live, after.status === "processed", 1);
}

function add(session: WriterSession, live: LiveMessage, processed: boolean, n: number): void {
  const { counters } = session;
  const type = MESSAGE_TYPE_CODE[live.type];
  const sender = session.addresses.intern(live.sender);
  counters.add("total", 0, 0, n);
  counters.add("type", type, 0, n);
  if (processed) counters.add("sender", sender, type, n);
  counters.add("owner", session.addresses.intern(live.owner), type, n);
  counters.add("chain", session.labels.intern(live.chain), type, n);
  if (live.channel !== null) {
    const channel = session.channels.intern(live.channel);
    counters.add("channel", channel, type, n);
    counters.add("senderChannel", sender, channel, n);
  }
  if (live.label !== null) {
    const label = session.labels.intern(live.label);
    counters.add("label", label, type, n);
    if (live.type === "POST") counters.add("senderLabel", sender, label, n);
  }
}
