import { buildQuery } from "../http/query.ts";
import { type MessageListFormat, sortOrder } from "../messages/message-filter.ts";

/** Which posts. Values inside one list are alternatives, different members must all hold. */
export interface PostFilter extends Pick<MessageListFormat, "sortBy" | "order"> {
  readonly owners?: readonly string[] | undefined;
  /** Hashes of original posts, not of amends. */
  readonly originalHashes?: readonly string[] | undefined;
  readonly refs?: readonly string[] | undefined;
  readonly types?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly channels?: readonly string[] | undefined;
  /** Last update in Unix seconds, inclusive. */
  readonly startTimeSeconds?: number | undefined;
  /** Last update in Unix seconds, exclusive. */
  readonly endTimeSeconds?: number | undefined;
}

export function postQuery(
  filter: PostFilter,
  more: Readonly<Record<string, string | number | undefined>>,
): URLSearchParams {
  return buildQuery({
    addresses: filter.owners,
    hashes: filter.originalHashes,
    refs: filter.refs,
    types: filter.types,
    tags: filter.tags,
    channels: filter.channels,
    startDate: filter.startTimeSeconds,
    endDate: filter.endTimeSeconds,
    sortBy: filter.sortBy,
    sortOrder: sortOrder(filter.order),
    ...more,
  });
}
