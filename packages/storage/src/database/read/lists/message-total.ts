import { MESSAGE_TYPE_CODE, STATUS_CODE } from "../../codes.ts";
import type { Counters } from "../counters.ts";
import { countMatches } from "../timed/count-matches.ts";
import type { Located } from "../timed/locate.ts";
import type { Selection } from "../timed/source.ts";
import type { MessageFilter } from "../types.ts";
import { MAX_COUNTED_ROWS, type TotalCount } from "./list-reader.ts";
import { countMessages } from "./message-source.ts";

/** The total of a message list: from counters where they are kept, else counted up to a bound. */
export function totalMessages(counters: Counters, list: Located, filter: MessageFilter): TotalCount {
  const known = fromCounters(counters, list.selection, filter);
  return known === null ? countMatches(list, MAX_COUNTED_ROWS) : { total: known, approximate: false };
}

function fromCounters(counters: Counters, selection: Selection, filter: MessageFilter): number | null {
  const { conditions, extra, lowestMicros, highestMicros } = selection;
  if (lowestMicros !== null || highestMicros !== null || extra.length > 0) return null;
  if (isPostsOfSender(conditions, filter)) {
    return counters.sum(
      "senderLabel",
      numbers(conditions.get("sender_id")),
      numbers(conditions.get("label_id")),
    );
  }
  // The counters of senders leave out messages that are about to be removed; the list does not.
  if (conditions.has("sender_id") && counters.sum("status", [STATUS_CODE.removing], null) > 0) return null;
  return countMessages(counters, conditions);
}

/** The counter of (sender, label) knows POSTs alone; of the other content types only one has a name. */
function isPostsOfSender(conditions: Selection["conditions"], { contentTypes }: MessageFilter): boolean {
  const columns = [...conditions.keys()].filter((column) => column !== "type").sort();
  const types = conditions.get("type");
  return (
    columns.join() === "label_id,sender_id" &&
    contentTypes?.includes("vm-function") === false &&
    (types === undefined || types.includes(MESSAGE_TYPE_CODE.POST))
  );
}

const numbers = (values: Iterable<unknown> = []): number[] => [...values].map(Number);
