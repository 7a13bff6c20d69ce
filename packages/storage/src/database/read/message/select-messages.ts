import { encodeItemHash, MESSAGE_TYPES, type MessageType } from "@twentysix/protocol";
import { sql } from "kysely";
import { MESSAGE_TYPE_CODE, STATUS_CODE, type Status, UNCONFIRMED } from "../../codes.ts";
import { encodeRef } from "../../ref-bytes.ts";
import type { SqlConnection, SqlValue } from "../../sql/connection.ts";
import type { Fragment } from "../compile-sql.ts";
import type { Counters } from "../counters.ts";
import type { Dictionaries } from "../dictionary.ts";
import { idsOfHashes } from "../item-ids.ts";
import { messagesOfPair } from "../lists/message-source.ts";
import { lowestMicros, timeBefore } from "../time-bounds.ts";
import type { Selection } from "../timed/source.ts";
import type { MessageFilter } from "../types.ts";

/** The same number as UNCONFIRMED, as partial indexes spell it. */
const NO_CONFIRMATION = sql.raw(UNCONFIRMED.toString());

/**
 * A filter with its values resolved to the ids of the database, or null when nothing can match: a value that
 * nobody stored is found out here, without looking at a message.
 */
export function selectMessages(
  connection: SqlConnection,
  names: Dictionaries,
  counters: Counters,
  filter: MessageFilter,
): Selection | null {
  const conditions = new Map<string, readonly SqlValue[]>();
  const add = (column: string, values: readonly SqlValue[] | undefined): void => {
    if (values !== undefined) conditions.set(column, values);
  };
  const { addresses, channels, labels } = names;
  add("sender_id", filter.senders && addresses.idsOf(filter.senders));
  add("owner_id", filter.owners && addresses.idsOf(filter.owners));
  add("channel_id", filter.channels && channels.idsOf(filter.channels));
  add("chain_id", filter.chains && labels.idsOf(filter.chains));
  add("payment_id", filter.paymentTypes && labels.idsOf(filter.paymentTypes));
  add("tag", filter.tags && labels.idsOf(filter.tags));
  add("ref", filter.refs && [...new Set(filter.refs)].map(encodeRef));
  add("content_hash", filter.contentHashes && [...new Set(filter.contentHashes)].map(encodeItemHash));
  add("id", filter.itemHashes && idsOfHashes(connection, filter.itemHashes));

  const labelled = selectLabels(names, counters, filter);
  add("label_id", labelled.labelIds);
  add("type", labelled.types);
  const status = selectStatus(counters, filter.statuses);
  if (status === null || [...conditions.values()].some((values) => values.length === 0)) return null;
  if (isKnownEmpty(counters, conditions)) return null;
  return {
    conditions,
    extra: [...status, ...confirmationPredicates(filter)],
    ...confirmedOnly(filter),
    lowestMicros: lowestMicros(filter.startMicros),
    highestMicros: timeBefore(filter.endMicros),
  };
}

const codesOf = (types: readonly MessageType[]): number[] => types.map((type) => MESSAGE_TYPE_CODE[type]);

/** Content keys are the labels of AGGREGATEs, content types those of everything else. */
function selectLabels(
  names: Dictionaries,
  counters: Counters,
  filter: MessageFilter,
): { readonly labelIds: number[] | undefined; readonly types: number[] | undefined } {
  const { contentKeys, contentTypes } = filter;
  const asked = filter.types === undefined ? undefined : [...new Set(filter.types)];
  if (contentKeys === undefined && contentTypes === undefined) {
    return { labelIds: undefined, types: asked && codesOf(asked) };
  }
  if (contentKeys !== undefined && contentTypes !== undefined) return { labelIds: [], types: [] };
  const labelIds = names.labels.idsOf(contentKeys ?? contentTypes ?? []);
  const allowed = MESSAGE_TYPES.filter((type) => (type === "AGGREGATE") === (contentKeys !== undefined));
  const types = codesOf(allowed.filter((type) => asked?.includes(type) ?? true));
  // With no message of another type under these labels the condition on the type says nothing.
  const others = MESSAGE_TYPES.map((_, code) => code).filter((code) => !types.includes(code));
  const isImplied = counters.sum("label", labelIds, others) === 0;
  return { labelIds, types: isImplied && types.length > 0 ? undefined : types };
}

/** null: no live message can have these statuses. */
function selectStatus(counters: Counters, statuses: readonly Status[] | undefined): Fragment[] | null {
  if (statuses === undefined) return [];
  const wantsProcessed = statuses.includes("processed");
  const wantsRemoving = statuses.includes("removing");
  if (wantsProcessed && wantsRemoving) return [];
  if (!wantsProcessed && !wantsRemoving) return null;
  const hasRemoving = counters.sum("status", [STATUS_CODE.removing], null) > 0;
  if (!hasRemoving) return wantsProcessed ? [] : null;
  const code = wantsProcessed ? STATUS_CODE.processed : STATUS_CODE.removing;
  return [sql`(select s.status from items as s where s.id = m.id) = ${code}`];
}

function confirmationPredicates({ startBlock, endBlock, confirmed }: MessageFilter): Fragment[] {
  const predicates: Fragment[] = [];
  // The height that stands for "none" is greater than any: it passes the start and fails the end.
  if (startBlock !== undefined) predicates.push(sql`m.confirmed_height >= ${startBlock}`);
  if (endBlock !== undefined) {
    predicates.push(sql`m.confirmed_height < ${endBlock}`, sql`m.confirmed_us <> ${NO_CONFIRMATION}`);
  }
  if (confirmed === true) predicates.push(sql`m.confirmed_us <> ${NO_CONFIRMATION}`);
  if (confirmed === false) predicates.push(sql`m.confirmed_us = ${NO_CONFIRMATION}`);
  return predicates;
}

/** Two values that never met, such as a sender and a channel: two long indexes would be walked for nothing. */
function isKnownEmpty(counters: Counters, conditions: Selection["conditions"]): boolean {
  const columns = [...conditions.keys()];
  return columns.some((first, at) =>
    columns.slice(at + 1).some((second) => messagesOfPair(counters, conditions, first, second) === 0),
  );
}

/** Contradicting conditions leave the predicates to find nothing. */
function confirmedOnly({ endBlock, confirmed }: MessageFilter): Pick<Selection, "isConfirmed"> {
  if (endBlock !== undefined || confirmed === true) return { isConfirmed: true };
  return confirmed === false ? { isConfirmed: false } : {};
}
