import type { SqlConnection } from "../sql/connection.ts";
import { AggregateRows } from "./aggregate/aggregate-rows.ts";
import { Counters } from "./counters.ts";
import { openDictionaries } from "./dictionary.ts";
import { accountMark } from "./ledger/account-mark.ts";
import { balanceOf, creditAmounts } from "./ledger/balance.ts";
import { billedMessage } from "./ledger/billed-message.ts";
import { consumedCredits, costSummary } from "./ledger/cost-summary.ts";
import { fullPublications } from "./ledger/full-publications.ts";
import { referencedBytes } from "./ledger/referenced-files.ts";
import { statsOfCounters } from "./lists/stats-list.ts";
import { servedContentOf } from "./message/content-text.ts";
import { factsOfRow } from "./message/message-facts.ts";
import { MessageRows } from "./message/message-rows.ts";
import { renderMessage } from "./message/render-message.ts";
import { fileOfHash, fileOfMessage, fileOfRef, pinCountOf } from "./point/files.ts";
import { itemOfHash } from "./point/item-rows.ts";
import { eventsOfItem, lastEventSeq, liveChunkOf, liveRowsAfter } from "./point/live-messages.ts";
import { MessageViews } from "./point/message-views.ts";
import { nodeTotals } from "./point/node-totals.ts";
import { channelsOfSender, postTypesOfSender } from "./point/sender-labels.ts";
import { SkeletonRows } from "./terminated/skeleton-rows.ts";
import type { SyncPointReads } from "./types.ts";

/**
 * Point reads on a connection of its own, opened read-only: they run on the calling thread, so every one is
 * bounded to a few indexed look-ups.
 */
export function createPointReads(connection: SqlConnection): SyncPointReads {
  const names = openDictionaries(connection);
  const counters = new Counters(connection);
  const messages = new MessageRows(connection, names);
  const views = new MessageViews(connection, messages, new SkeletonRows(connection, names));
  const aggregates = new AggregateRows(connection, names);
  return {
    statusOf: (itemHash) => {
      const item = itemOfHash(connection, itemHash);
      return item === null ? null : { status: item.status, itemHash, receptionMicros: item.receptionMicros };
    },
    messageView: (itemHash) => views.view(itemHash),
    messageJson: (itemHash, shape) => {
      const row = views.live(itemHash);
      return row === null ? null : renderMessage(row, shape);
    },
    factsOf: (itemHash) => {
      const row = views.live(itemHash);
      return row === null ? null : factsOfRow(connection, row);
    },
    contentJson: (itemHash) => {
      const item = itemOfHash(connection, itemHash);
      if (item === null) return null;
      const row = views.live(itemHash);
      return row === null
        ? { status: item.status, json: null }
        : { status: row.status, json: servedContentOf(row) };
    },
    rawMessage: (itemHash) => {
      const row = views.live(itemHash);
      return row === null ? null : { envelope: row.envelope, content: messages.wholeContent(row) };
    },
    eventsOf: (itemHash) => {
      const item = itemOfHash(connection, itemHash);
      return item === null ? [] : eventsOfItem(connection, item.id);
    },
    aggregates: (address, keys) => aggregates.entries(address, keys),
    aggregateVersions: (address, keys) => aggregates.versions(address, keys),
    file: (fileHash) => fileOfHash(connection, fileHash),
    pinCount: (fileHash) => pinCountOf(connection, fileHash),
    fileOfMessage: (itemHash) => fileOfMessage(connection, itemHash),
    fileByRef: (ref, address) => fileOfRef(connection, ref, address),
    postTypesOf: (address) => postTypesOfSender(connection, names, address),
    channelsOf: (address) => channelsOfSender(connection, names, address),
    statsOf: (addresses) =>
      names.addresses
        .idsOf(addresses)
        .flatMap((id) => statsOfCounters(counters.partners("sender", id), names.addresses)),
    totals: () => nodeTotals(connection, counters),
    liveMessages: (afterSeq, limits) => liveChunkOf(liveRowsAfter(connection, messages, afterSeq, limits)),
    liveRows: (afterSeq, limits) => liveRowsAfter(connection, messages, afterSeq, limits),
    lastSeq: () => lastEventSeq(connection),
    fullPublications: () => fullPublications(connection),
    accountMark: (address) => accountMark(connection, names, address),
    balanceOf: (address, nowMicros) => balanceOf(connection, names, address, nowMicros),
    creditAmounts: (address, nowMicros) => creditAmounts(connection, names, address, nowMicros),
    billedMessage: (itemHash) => billedMessage(connection, names, itemHash),
    consumedCredits: (resource) => consumedCredits(connection, resource),
    costSummary: (filter) => costSummary(connection, names, filter),
    referencedBytes: (references) => references.map((one) => referencedBytes(connection, one)),
  };
}
