import { buildQuery } from "../http/query.ts";
import type { MessageStatus } from "./message-view.ts";

/**
 * Which messages. Values inside one list are alternatives, different members must all hold; comparison is exact
 * and case-sensitive. An empty list is an error, since it could only match nothing.
 */
export interface MessageFilter {
  readonly types?: readonly string[] | undefined;
  /** `processed` and `removing` by default. `forgotten` and `removed` only alone, and never with a cursor. */
  readonly statuses?: readonly MessageStatus[] | undefined;
  /** Who signed. */
  readonly senders?: readonly string[] | undefined;
  /** `address` of the content: to whom the object belongs. */
  readonly owners?: readonly string[] | undefined;
  readonly itemHashes?: readonly string[] | undefined;
  readonly refs?: readonly string[] | undefined;
  /** Files of STORE messages. */
  readonly contentHashes?: readonly string[] | undefined;
  /** Keys of AGGREGATE messages. */
  readonly contentKeys?: readonly string[] | undefined;
  /** Post types. */
  readonly contentTypes?: readonly string[] | undefined;
  readonly chains?: readonly string[] | undefined;
  readonly channels?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly paymentTypes?: readonly ("hold" | "superfluid" | "credit")[] | undefined;
  /** Unix seconds, inclusive. */
  readonly startTimeSeconds?: number | undefined;
  /** Unix seconds, exclusive. */
  readonly endTimeSeconds?: number | undefined;
  /** Height of the first confirmation, inclusive; unconfirmed messages match. */
  readonly startBlock?: number | undefined;
  /** Exclusive; unconfirmed messages do not match. */
  readonly endBlock?: number | undefined;
}

/** How a list of messages is given. */
export interface MessageListFormat {
  /** `time` of the envelope by default, or the time of the first confirmation. */
  readonly sortBy?: "time" | "tx-time" | undefined;
  readonly order?: "ascending" | "descending" | undefined;
  /** `headers` leaves only the keys by which messages are found; `none` leaves out `content`. */
  readonly contentFormat?: "full" | "headers" | "none" | undefined;
}

/** The query of a filter. Error: SDK_INVALID_INPUT for lists that cannot be sent. */
export function messageQuery(
  filter: MessageFilter & MessageListFormat,
  more: Readonly<Record<string, string | number | undefined>>,
): URLSearchParams {
  return buildQuery({
    msgTypes: filter.types,
    msgStatuses: filter.statuses,
    addresses: filter.senders,
    owners: filter.owners,
    hashes: filter.itemHashes,
    refs: filter.refs,
    contentHashes: filter.contentHashes,
    contentKeys: filter.contentKeys,
    contentTypes: filter.contentTypes,
    chains: filter.chains,
    channels: filter.channels,
    tags: filter.tags,
    paymentTypes: filter.paymentTypes,
    startDate: filter.startTimeSeconds,
    endDate: filter.endTimeSeconds,
    startBlock: filter.startBlock,
    endBlock: filter.endBlock,
    sortBy: filter.sortBy,
    sortOrder: sortOrder(filter.order),
    contentFormat: filter.contentFormat,
    ...more,
  });
}

export function sortOrder(order: MessageListFormat["order"]): number | undefined {
  if (order === undefined) return undefined;
  return order === "ascending" ? 1 : -1;
}
